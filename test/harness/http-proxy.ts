import { rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { freePorts } from './free-port.ts';

/** Where an HTTP server listens. */
export type Place = { readonly socketPath: string } | { readonly port: number };

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

export interface HttpProxy extends AsyncDisposable {
  readonly port: number;
  /** What was passed on, or refused, so far. */
  readonly requests: readonly ProxiedRequest[];
  /** Nobody gets through any more, who is connected is cut off. */
  readonly cut: () => Promise<void>;
  readonly restore: () => Promise<void>;
}

/** Stands before a server and passes everything on; `refuse` may answer a status instead. Listens on a unix socket, or a free port. */
export async function startHttpProxy(
  target: Place,
  { socketPath, refuse = () => undefined }: { socketPath?: string; refuse?: (request: ProxiedRequest) => number | undefined } = {},
): Promise<HttpProxy> {
  const [port = 0] = await freePorts(1);
  const requests: ProxiedRequest[] = [];
  const pass = async (incoming: IncomingMessage, answer: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const seen = { method: incoming.method ?? '', path: incoming.url ?? '', body: body.toString(), headers: incoming.headers };
    requests.push(seen);
    const status = refuse(seen);
    if (status !== undefined) return void answer.writeHead(status).end('refused by the test');
    const passed = request({ ...target, method: seen.method, path: seen.path, headers: incoming.headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      answer.flushHeaders();
      response.on('error', () => answer.destroy());
      response.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    passed.end(body);
  };
  let server: Server | undefined;
  const restore = async () => {
    if (socketPath !== undefined) await rm(socketPath, { force: true });
    const fresh = createServer((incoming, answer) => void pass(incoming, answer).catch(() => answer.destroy()));
    await new Promise<void>((resolve, reject) => {
      fresh.once('error', reject);
      if (socketPath === undefined) fresh.listen(port, '127.0.0.1', resolve);
      else fresh.listen({ path: socketPath, readableAll: true, writableAll: true }, resolve);
    });
    server = fresh;
  };
  const cut = async () => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    closing.closeAllConnections();
    await closed;
  };
  await restore();
  return { port, requests, cut, restore, [Symbol.asyncDispose]: cut };
}
