import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What an instance does instead of answering: nothing, hanging up at once, a status, or a status for some paths. */
export type Behaviour = 'answer' | 'hang' | 'close' | number | Readonly<Record<string, number>>;

/** What an HTTP instance answers, as JSON. */
export interface HttpAnswer {
  readonly service: string;
  readonly instance: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bodyBytes: number;
}

export interface FleetInstance {
  readonly service: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** May be changed at any time. */
  does: Behaviour;
  /** Requests so far, and the most at one time. */
  readonly requests: () => number;
  readonly mostAtOnce: () => number;
  readonly forgetMostAtOnce: () => void;
  /** Abrupt, as `kill -9` of a real one: the listener goes, and open connections are reset. */
  readonly stop: () => Promise<void>;
}

export interface Fleet extends AsyncDisposable {
  /**
   * Starts an instance on a loopback address of its own. One of `http` answers {@link HttpAnswer}; a request may ask for more with its
   * query: `delay_ms=N`, `status=N`, `size=N` (bytes of padding), `chunked=1`; an upgrade is answered and then echoed.
   * One of `tcp` answers every chunk with `service/id chunk`.
   */
  readonly add: (instance: {
    readonly service: string;
    readonly id: string;
    readonly kind?: 'http' | 'tcp';
    readonly does?: Behaviour;
    readonly address?: string;
    readonly port?: number;
  }) => Promise<FleetInstance>;
}

/** Instances behind an edge, all in this process. */
export function startFleet(): Fleet {
  const instances = new Set<FleetInstance>();
  return {
    add: async ({ service, id, kind = 'http', does = 'answer', address = nextAddress(), port = 18_080 }) => {
      const instance = await startInstance({ service, id, kind, does, address, port });
      instances.add(instance);
      return instance;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...instances].map((instance) => instance.stop()));
    },
  };
}

/** A block of loopback addresses of this process, so that test files beside each other do not meet. */
const BLOCK = 16 + (process.pid % 230);
let addresses = 0;

function nextAddress(): string {
  addresses += 1;
  return `127.${BLOCK}.${Math.floor(addresses / 250)}.${1 + (addresses % 250)}`;
}

interface Wanted {
  readonly service: string;
  readonly id: string;
  readonly kind: 'http' | 'tcp';
  readonly does: Behaviour;
  readonly address: string;
  readonly port: number;
}

async function startInstance({ service, id, kind, does, address, port }: Wanted): Promise<FleetInstance> {
  const sockets = new Set<Socket>();
  const load = { requests: 0, active: 0, mostAtOnce: 0 };
  const forgetMostAtOnce = () => {
    load.mostAtOnce = load.active;
  };
  const self = { service, id, address, port, does, requests: () => load.requests, mostAtOnce: () => load.mostAtOnce, forgetMostAtOnce };
  const server: Server = kind === 'tcp' ? createTcpServer((socket) => echo(self, socket)) : httpServer(self, load);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    if (self.does === 'close') socket.destroy();
  });
  server.listen({ host: address, port, backlog: 1024 });
  await once(server, 'listening');
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  return Object.assign(self, { stop });
}

interface Self {
  readonly service: string;
  readonly id: string;
  does: Behaviour;
}

interface Load {
  requests: number;
  active: number;
  mostAtOnce: number;
}

function echo(self: Self, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (self.does !== 'hang') socket.write(`${self.service}/${self.id} ${chunk}`);
  });
}

function httpServer(self: Self, load: Load): HttpServer {
  const server = createHttpServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    load.requests += 1;
    load.active += 1;
    load.mostAtOnce = Math.max(load.mostAtOnce, load.active);
    response.on('close', () => (load.active -= 1));
    let bodyBytes = 0;
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => (bodyBytes += chunk.length));
    request.on('end', () => {
      if (self.does !== 'hang') respond(self, request, response, bodyBytes);
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    echo(self, socket);
  });
  return server;
}

function respond(self: Self, { method = '', url = '', headers }: IncomingMessage, response: ServerResponse, bodyBytes: number): void {
  const query = new URLSearchParams(/\?(.*)$/.exec(url)?.[1]);
  const answer: HttpAnswer = { service: self.service, instance: self.id, method, path: url, host: headers.host ?? '', headers, bodyBytes };
  const text = JSON.stringify({ ...answer, padding: 'x'.repeat(Number(query.get('size') ?? 0)) });
  response.statusCode = statusOf(self.does, url) ?? Number(query.get('status') ?? 200);
  response.setHeader('content-type', 'application/json');
  if (!query.has('chunked')) response.setHeader('content-length', Buffer.byteLength(text));
  setTimeout(() => response.end(text), Number(query.get('delay_ms') ?? 0));
}

function statusOf(does: Behaviour, path: string): number | undefined {
  if (typeof does === 'number') return does;
  return typeof does === 'object' ? does[path] : undefined;
}
