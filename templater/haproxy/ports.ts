import { createServer } from 'node:net';

/** Why a TCP port of an address cannot be listened on, or undefined when it can. `haproxy -c` does not see it, so it is tried before. */
export function whyNotBindable(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(('code' in error ? REASONS[String(error.code)] : undefined) ?? error.message));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens on this port of the edge; end it or choose another port',
  EACCES: 'the edge may not listen on this port; choose one above 1023 or give HAProxy the right to',
  EADDRNOTAVAIL: 'the edge has no such address',
};
