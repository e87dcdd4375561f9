import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open, and the most that ever were. */
  readonly connections: () => { readonly open: number; readonly most: number };
  /** Breaks all connections there are. */
  readonly cut: () => void;
  /** Bytes that the other side sent. */
  readonly bytes: () => number;
}

/** Passes bytes on to a port of this host and counts, whatever they mean. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let [most, bytes] = [0, 0];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    sockets.add(near);
    most = Math.max(most, sockets.size);
    far.on('data', (chunk) => (bytes += chunk.length));
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(near);
        near.destroy();
        far.destroy();
      });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => ({ open: sockets.size, most }),
    cut,
    bytes: () => bytes,
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
