import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { HttpAnswer } from './fleet.ts';

export interface RequestOptions {
  /** `127.0.0.1` unless said. */
  readonly address?: string;
  readonly port: number;
  readonly method?: string;
  readonly path?: string;
  /** The Host header; that of the address unless said. */
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sends the body in chunks, without its length. */
  readonly chunked?: boolean;
  /** Sends the body only when it was asked for. */
  readonly expect100?: boolean;
  readonly agent?: Agent;
  readonly timeoutMs?: number;
}

/** What came of a request; it never throws. */
export type Answer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly text: string;
      /** Of an instance of a fleet; empty for anybody else. */
      readonly from: Partial<HttpAnswer>;
      /** Whether it was told to go on before the body. */
      readonly continued: boolean;
    }
  | { readonly kind: 'error'; readonly error: string };

export function request(options: RequestOptions): Promise<Answer> {
  const { address = '127.0.0.1', port, method = 'GET', path = '/', host, body, chunked = false, expect100 = false, agent } = options;
  const { headers = {}, timeoutMs = 8_000 } = options;
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) => resolve({ kind: 'error', error: error.code ?? error.message });
    const sent: Record<string, string> = { ...(host !== undefined && { host }), ...headers };
    if (body !== undefined && !chunked) sent['content-length'] = String(Buffer.byteLength(body));
    if (expect100) sent['expect'] = '100-continue';
    let continued = false;
    const outgoing = httpRequest(
      { host: address, port, method, path, headers: sent, agent: agent ?? false, setHost: host === undefined },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        incoming.on('error', fail);
        incoming.on('end', () =>
          resolve({ kind: 'answer', status: incoming.statusCode ?? 0, headers: incoming.headers, text, from: answerIn(text), continued }),
        );
      },
    );
    outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    outgoing.on('error', fail);
    outgoing.on('continue', () => {
      continued = true;
      outgoing.end(body);
    });
    if (expect100) outgoing.flushHeaders();
    else outgoing.end(body);
  });
}

/** Bytes as they are, for what a client library refuses to send. */
export function rawRequest({
  address,
  port,
  raw,
}: {
  readonly address: string;
  readonly port: number;
  readonly raw: string;
}): Promise<Answer> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: address, port }, () => socket.write(raw)).setEncoding('utf8');
    const done = () => {
      socket.destroy();
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]);
      const body = text.split('\r\n\r\n').slice(1).join('\r\n\r\n');
      if (Number.isNaN(status)) resolve({ kind: 'error', error: `not an HTTP answer: ${text.slice(0, 80)}` });
      else resolve({ kind: 'answer', status, headers: {}, text: body, from: answerIn(body), continued: false });
    };
    socket.setTimeout(5_000, done);
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('end', done);
    socket.on('error', (error: NodeJS.ErrnoException) => resolve({ kind: 'error', error: error.code ?? error.message }));
  });
}

function answerIn(text: string): Partial<HttpAnswer> {
  if (!text.startsWith('{')) return {};
  try {
    return JSON.parse(text) as Partial<HttpAnswer>;
  } catch {
    return {};
  }
}
