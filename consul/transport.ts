import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { OperationError } from '../daemon/operation-error.ts';
import { type ConsulAddress, showConsulAddress } from './address.ts';
import { nodeHttps } from './lazy-tls.ts';

/** One request to a Consul agent. */
export interface ConsulRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Below the agent's root, such as `/v1/agent/services`; its parts are already percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as it is, or as JSON. */
  readonly body?: string | object;
  /** Until the whole answer is here, milliseconds. Every request has one. */
  readonly timeoutMs: number;
}

/** What the agent answered, whatever its status. */
export interface ConsulAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface ConsulTransport {
  /** The agent's address, for logs. */
  readonly subject: string;
  /** @throws OperationError when there is no whole answer in time. A status is an answer. */
  readonly send: (request: ConsulRequest, signal: AbortSignal) => Promise<ConsulAnswer>;
}

/** A transport that knows how many requests an agent may hold for it at once: over HTTP/1.1 each needs a connection of its own. */
export interface WatchTransport extends ConsulTransport {
  /** May rise once the agent has been reached. */
  readonly capacity: () => number;
}

/** How to speak to an agent. */
export interface ConsulOptions {
  readonly address: ConsulAddress;
  /** Asked at each request, so that a rotated token is seen; empty for none. */
  readonly token?: () => string;
  /** `user:password` for an agent behind a proxy. */
  readonly basicAuth?: string;
  readonly tls?: SecureContextOptions & { readonly rejectUnauthorized?: boolean; readonly servername?: string };
  /** Connections at once; more requests wait their turn. */
  readonly maxConnections?: number;
}

/** Consul over HTTP/1.1 with kept connections: TCP, TLS or a unix socket. */
export function createTransport({ address, token, basicAuth, tls, maxConnections = 100 }: ConsulOptions): WatchTransport & AsyncDisposable {
  const secure = address.kind === 'tcp' && address.tls;
  const agentOptions = { keepAlive: true, maxSockets: maxConnections, scheduling: 'lifo' as const };
  const agent = secure ? new (nodeHttps().Agent)({ ...agentOptions, ...tls }) : new HttpAgent(agentOptions);
  const where = address.kind === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port };
  const start = secure ? nodeHttps().request : httpRequest;
  const subject = showConsulAddress(address);
  return {
    subject,
    capacity: () => maxConnections,
    send: (request, signal) =>
      exchange(request, subject, signal, ({ answered, failed }) => {
        const { path, headers, body } = encoded(request, token?.() ?? '', basicAuth);
        const outgoing = start({ ...where, agent, method: request.method, path, headers }, (incoming) => whole(incoming, answered, failed));
        outgoing.on('socket', keepAlive);
        outgoing.on('error', failed);
        outgoing.end(body);
        return () => outgoing.destroy();
      }),
    [Symbol.asyncDispose]: async () => agent.destroy(),
  };
}

/** A request's parts as they go on the wire; shared by every kind of transport. */
export function encoded(
  request: ConsulRequest,
  token: string,
  basicAuth?: string,
): { path: string; headers: Record<string, string>; body: string | undefined } {
  const query = new URLSearchParams(
    Object.entries(request.query ?? {}).flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, value]])),
  );
  const body = typeof request.body === 'object' ? JSON.stringify(request.body) : request.body;
  const headers = {
    ...(token !== '' && { 'x-consul-token': token }),
    ...(basicAuth !== undefined && { authorization: `Basic ${Buffer.from(basicAuth).toString('base64')}` }),
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
  };
  return { path: query.size > 0 ? `${request.path}?${query}` : request.path, headers, body };
}

/** Where whoever carries a request says how it ended; only the first word counts. */
export interface Ending {
  readonly answered: (answer: ConsulAnswer) => void;
  readonly failed: (cause: Error) => void;
}

/**
 * Carries one request within its time and until the signal aborts. `begin` sends it, and answers how to drop it when nobody waits any more.
 * An abort of the caller's own signal is rejected with its reason.
 * @throws OperationError for everything else that leaves it without a whole answer.
 */
export function exchange(
  request: ConsulRequest,
  subject: string,
  signal: AbortSignal,
  begin: (ending: Ending) => () => void,
): Promise<ConsulAnswer> {
  return new Promise<ConsulAnswer>((resolve, reject) => {
    let drop = () => {};
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    const answered = (answer: ConsulAnswer) => {
      finish();
      resolve(answer);
    };
    const failed = (cause: unknown) => {
      finish();
      const hint = cause instanceof Error ? cause.message : String(cause);
      reject(signal.aborted ? signal.reason : new OperationError(`Consul ${request.method} ${request.path}`, { subject, cause, hint }));
      drop();
    };
    const abort = () => failed(signal.reason);
    const timer = setTimeout(() => failed(new Error(`no answer within ${request.timeoutMs} ms`)), request.timeoutMs);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    try {
      drop = begin({ answered, failed });
    } catch (cause) {
      failed(cause);
    }
  });
}

/** An agent whose host went away is noticed within 20 s, however long it may hold a request (10 probes a second apart: libuv). */
function keepAlive(socket: Socket): void {
  socket.setKeepAlive(true, 10_000);
}

function whole(incoming: IncomingMessage, resolve: (answer: ConsulAnswer) => void, failed: (cause: Error) => void): void {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('error', failed);
  incoming.on('end', () => {
    if (incoming.complete) resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) });
  });
  incoming.on('close', () => {
    if (!incoming.complete) failed(new Error('the connection ended in the middle of the answer'));
  });
}
