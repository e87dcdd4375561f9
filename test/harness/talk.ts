import { once } from 'node:events';
import { connect } from 'node:net';

/** A connection to an instance of a fleet that stays open. */
export interface Talk {
  /** `service/id` of who answers. @throws Error when nobody does within 2 s. */
  readonly who: () => Promise<string>;
  readonly isOpen: () => boolean;
  readonly close: () => void;
}

const ANSWER_WITHIN_MS = 2_000;

/** Opens a TCP connection, or with `upgrade` a WebSocket over HTTP. */
export async function openTalk(where: {
  readonly address: string;
  readonly port: number;
  readonly upgrade?: { readonly host: string; readonly path: string };
}): Promise<Talk> {
  const socket = connect({ host: where.address, port: where.port }).setEncoding('utf8');
  let open = true;
  socket.on('error', () => {});
  socket.on('close', () => (open = false));
  const exchange = async (text: string) => {
    if (!open) throw new Error('the connection was closed');
    const heard = new AbortController();
    const signal = AbortSignal.any([heard.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    const answer = Promise.race([once(socket, 'data', { signal }), once(socket, 'close', { signal })]);
    socket.write(text);
    const [said] = (await answer.finally(() => heard.abort())) as [string | boolean];
    if (typeof said !== 'string') throw new Error('the connection was closed');
    return said;
  };
  await once(socket, 'connect');
  if (where.upgrade !== undefined) {
    const { host, path } = where.upgrade;
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const said = await exchange(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`);
    if (!said.startsWith('HTTP/1.1 101')) throw new Error(`no upgrade: ${said.slice(0, 60)}`);
  }
  return {
    who: async () => (await exchange('hello')).split(' ')[0] ?? '',
    isOpen: () => open,
    close: () => socket.destroy(),
  };
}
