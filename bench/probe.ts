import { connect, type Socket } from 'node:net';

/** What a probe was answered: the body, or the status of anything but 200. */
export interface Probed {
  readonly said: string;
  /** When it was there, as `performance.now()` says. */
  readonly at: number;
}

/** Kept connections, so many that an answer comes about every third of a millisecond, and that little of the machine is taken by it. */
const CONNECTIONS = 4;
const PAUSE_MS = 1;

/** Asks a host again and again, and hears every answer, until the answer of `hear` is true. A connection that ends is opened anew. */
export function probe(port: number, host: string, hear: (probed: Probed) => boolean, path = '/'): Promise<void> {
  return new Promise((resolve) => {
    const sockets = new Set<Socket>();
    let isOver = false;
    const end = () => {
      isOver = true;
      for (const socket of sockets) socket.destroy();
      resolve();
    };
    const open = () => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      let received = '';
      const ask = () => {
        received = '';
        socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      };
      sockets.add(socket);
      socket.setEncoding('latin1').on('connect', ask);
      socket.on('data', (text: string) => {
        received += text;
        const said = answerIn(received);
        if (said === undefined || isOver) return;
        if (hear({ said, at: performance.now() })) end();
        else setTimeout(() => socket.writable && ask(), PAUSE_MS);
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        if (!isOver) setTimeout(open, PAUSE_MS);
      });
    };
    for (let i = 0; i < CONNECTIONS; i += 1) open();
  });
}

/** A whole answer with a length; undefined while it is not whole. */
function answerIn(text: string): string | undefined {
  const head = text.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  if (head < 0 || length === undefined || text.length < head + 4 + Number(length)) return undefined;
  return text.startsWith('HTTP/1.1 200') ? text.slice(head + 4) : text.slice(9, 12);
}
