import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { OperationError } from '../daemon/operation-error.ts';
import { type ConsulAddress, showConsulAddress } from './address.ts';

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
export function createTransport({
  address,
  token,
  basicAuth,
  tls,
  maxConnections = 100,
}: ConsulOptions): ConsulTransport & AsyncDisposable {
  const secure = address.kind === 'tcp' && address.tls;
  const agentOptions = { keepAlive: true, maxSockets: maxConnections, scheduling: 'lifo' as const };
  const agent = secure ? new HttpsAgent({ ...agentOptions, ...tls }) : new HttpAgent(agentOptions);
  const where = address.kind === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port };
  const start = secure ? httpsRequest : httpRequest;
  const subject = showConsulAddress(address);
  return {
    subject,
    send: (request, signal) => {
      const { path, headers, body } = encoded(request, token?.() ?? '', basicAuth);
      const within = AbortSignal.any([signal, AbortSignal.timeout(request.timeoutMs)]);
      return new Promise((resolve, reject) => {
        const failed = (cause: Error) => reject(failure(request, subject, cause, signal));
        const outgoing = start({ ...where, agent, method: request.method, path, headers, signal: within }, (incoming) =>
          whole(incoming, resolve, failed),
        );
        outgoing.on('error', failed);
        outgoing.end(body);
      });
    },
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

/** What a request that got no whole answer is reported as; an abort of the caller's own signal stays an abort. */
export function failure(request: ConsulRequest, subject: string, cause: Error, signal: AbortSignal): Error {
  if (signal.aborted) return cause;
  const hint = cause.name === 'AbortError' || cause.name === 'TimeoutError' ? `no answer within ${request.timeoutMs} ms` : cause.message;
  return new OperationError(`Consul ${request.method} ${request.path}`, { subject, cause, hint });
}

function whole(incoming: IncomingMessage, resolve: (answer: ConsulAnswer) => void, failed: (cause: Error) => void): void {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('error', failed);
  incoming.on('close', () => {
    if (incoming.complete) resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) });
    else failed(new Error('the connection ended in the middle of the answer'));
  });
}
