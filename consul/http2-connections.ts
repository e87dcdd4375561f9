import type { ClientHttp2Session } from 'node:http2';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { showConsulAddress } from './address.ts';
import { nodeHttp2, nodeTls } from './lazy-tls.ts';
import type { ConsulOptions } from './transport.ts';

/** The agent's HTTPS port does not speak HTTP/2, such as behind a proxy. */
export class NoHttp2Error extends Error {
  override readonly name = 'NoHttp2Error';
}

/** The right to one stream of a connection. */
export interface Place {
  readonly session: ClientHttp2Session;
  /** Gives it back; only the first time counts. */
  readonly release: () => void;
}

export interface ConnectionPool extends AsyncDisposable {
  /** A place on a connection that has one free, else on a new one. @throws Error when the agent cannot be connected to. */
  readonly take: () => Promise<Place>;
  /** How many places there can be. */
  readonly capacity: () => number;
}

/** What Go's server allows a connection, and the most that is used of what another one allows. */
const STREAMS_A_CONNECTION = 250;
const CONNECT_WITHIN_MS = 10_000;
/** How often a place is looked for, when connections turn out to be closed or to allow fewer streams than thought. */
const TRIES = 5;
/** A connection whose other end is gone is noticed by a ping without an answer. */
const PING_EVERY_MS = 15_000;
/** How long a connection that nothing needs is kept. */
const IDLE_MS = 10_000;
/** Read ahead of what is asked for: an answer of thousands of services comes without a pause. */
const STREAM_WINDOW_BYTES = 1 << 20;
const CONNECTION_WINDOW_BYTES = 8 << 20;
/** Node's own limit of 10 MB refuses streams when many answers arrive together. */
const SESSION_MEMORY_MB = 256;

interface Connection {
  readonly ready: Promise<ClientHttp2Session>;
  /** Streams that are allowed; known for certain once `ready`. */
  limit: number;
  taken: number;
}

/** As many connections as the streams need, each filled before the next is opened. */
export function createConnectionPool(options: ConsulOptions, maxConnections: number): ConnectionPool {
  const connections = new Set<Connection>();
  let streamsEach = STREAMS_A_CONNECTION;

  function open(): Connection {
    const connection: Connection = { ready: openSession(options), limit: streamsEach, taken: 0 };
    const leave = () => connections.delete(connection);
    connections.add(connection);
    connection.ready.then((session) => {
      connection.limit = streamsEach = Math.min(STREAMS_A_CONNECTION, session.remoteSettings.maxConcurrentStreams ?? STREAMS_A_CONNECTION);
      session.on('goaway', leave);
      session.on('close', leave);
      if (session.closed || session.destroyed) leave();
    }, leave);
    return connection;
  }

  function pick(): Connection {
    for (const connection of connections) if (connection.taken < connection.limit) return connection;
    if (connections.size >= maxConnections) throw new Error(`all ${connections.size} connections are full`);
    return open();
  }

  function release(connection: Connection, session: ClientHttp2Session): void {
    connection.taken--;
    if (connection.taken > 0) return;
    if (connections.has(connection)) setTimeout(() => closeIdle(connection, session), IDLE_MS).unref();
    else session.close();
  }

  /** One stays, for what is asked next. */
  function closeIdle(connection: Connection, session: ClientHttp2Session): void {
    if (connection.taken > 0 || connections.size === 1 || !connections.delete(connection)) return;
    session.close();
  }

  async function tryTake(): Promise<Place | undefined> {
    const connection = pick();
    connection.taken++;
    const session = await connection.ready.catch((error: unknown) => {
      connection.taken--;
      throw error;
    });
    if (connections.has(connection) && connection.taken <= connection.limit) {
      let isTaken = true;
      const releaseOnce = () => {
        if (isTaken) release(connection, session);
        isTaken = false;
      };
      return { session, release: releaseOnce };
    }
    release(connection, session);
    return undefined;
  }

  async function take(): Promise<Place> {
    for (let tries = 0; tries < TRIES; tries++) {
      const place = await tryTake();
      if (place !== undefined) return place;
    }
    throw new Error('the agent closes every connection as soon as it is open');
  }

  return {
    take,
    capacity: () => maxConnections * streamsEach,
    [Symbol.asyncDispose]: async () => {
      for (const { ready } of connections) {
        void ready.then(
          (session) => session.destroy(),
          () => {},
        );
      }
    },
  };
}

/** Resolves when the agent has said how many streams it allows. @throws NoHttp2Error, or Error when there is no connection. */
async function openSession(options: ConsulOptions): Promise<ClientHttp2Session> {
  const socket = await openSocket(options);
  const session = nodeHttp2().connect(showConsulAddress(options.address), {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    maxSessionMemory: SESSION_MEMORY_MB,
  });
  return await new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => session.destroy(new Error(`no HTTP/2 settings within ${CONNECT_WITHIN_MS} ms`)), CONNECT_WITHIN_MS);
    session.once('close', () => clearTimeout(tooLate));
    session.on('error', reject);
    session.once('close', () => reject(new Error('the connection was closed')));
    session.once('remoteSettings', () => {
      clearTimeout(tooLate);
      session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
      watchLife(session);
      resolve(session);
    });
  });
}

function openSocket({ address, tls }: ConsulOptions): Promise<TLSSocket> {
  if (address.kind === 'unix' || !address.tls) throw new NoHttp2Error('Consul speaks HTTP/2 on its HTTPS port only');
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = nodeTls().connect({ host, port, ALPNProtocols: ['h2', 'http/1.1'], ...name, ...tls });
    const tooLate = setTimeout(() => socket.destroy(new Error(`no connection within ${CONNECT_WITHIN_MS} ms`)), CONNECT_WITHIN_MS);
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(tooLate));
    socket.once('secureConnect', () => {
      clearTimeout(tooLate);
      socket.removeListener('error', reject);
      if (socket.alpnProtocol === 'h2') return resolve(socket);
      socket.destroy();
      reject(new NoHttp2Error(`${host}:${port} speaks no HTTP/2`));
    });
  });
}

function watchLife(session: ClientHttp2Session): void {
  let isAnswered = true;
  const pings = setInterval(() => {
    if (session.destroyed) return clearInterval(pings);
    if (!isAnswered) return session.destroy(new Error('no answer to a ping'));
    isAnswered = false;
    session.ping((error) => (isAnswered = error === null));
  }, PING_EVERY_MS);
  pings.unref();
  session.once('close', () => clearInterval(pings));
}
