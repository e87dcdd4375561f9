import { createServer, type ServerResponse } from 'node:http';
import { Registry } from 'prom-client';
import { OperationError } from './operation-error.ts';

/** What a program tells about itself. */
export interface ApiSources {
  /** Why it is not ready, or undefined when it is. Live it is as long as it answers. */
  readonly notReady: () => string | undefined;
  /** The JSON of `GET /status`; has `problems` and `holds`. */
  readonly status: () => object;
  readonly metrics: Registry;
  /** Further paths, `METHOD /path`: answer a JSON value. */
  readonly routes?: Readonly<Record<string, (query: URLSearchParams) => Promise<ApiAnswer>>>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: object;
}

/** A registry of a program's own metrics; nothing is global. */
export function createMetrics(program: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ program });
  return registry;
}

/**
 * Serves `/health/live`, `/health/ready`, `/status` and `/metrics` until the signal aborts. Resolves once it listens.
 * @throws OperationError when the address cannot be bound.
 */
export async function serveApi(
  { address, port }: { address: string; port: number },
  sources: ApiSources,
  signal: AbortSignal,
): Promise<void> {
  const server = createServer((request, response) => {
    // Not by URL, which throws for targets such as //, and would take the program with it.
    const [path = '/', query] = (request.url ?? '/').split('?', 2);
    answer(`${request.method === 'HEAD' ? 'GET' : request.method} ${path}`, new URLSearchParams(query), sources, response).catch(
      (error: unknown) => {
        sendJson(response, 500, { error: error instanceof Error ? error.message : String(error) });
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new OperationError('serve the API', { subject: `${address}:${port}`, cause, hint: `${cause.message}; choose another with -api` }),
      ),
    );
    server.listen(port, address === '' ? undefined : address, resolve);
  });
  signal.addEventListener('abort', () => {
    server.close();
    server.closeAllConnections();
  });
}

async function answer(path: string, query: URLSearchParams, sources: ApiSources, response: ServerResponse): Promise<void> {
  const route = sources.routes?.[path];
  if (path === 'GET /health/live') return sendJson(response, 200, { live: true });
  if (path === 'GET /health/ready') {
    const why = sources.notReady();
    return why === undefined ? sendJson(response, 200, { ready: true }) : sendJson(response, 503, { ready: false, why });
  }
  if (path === 'GET /status') return sendJson(response, 200, sources.status());
  if (path === 'GET /metrics') {
    response.writeHead(200, { 'content-type': sources.metrics.contentType });
    response.end(await sources.metrics.metrics());
    return;
  }
  if (route !== undefined) {
    const { status, body } = await route(query);
    return sendJson(response, status, body);
  }
  sendJson(response, 404, {
    error: `no such path: ${path}`,
    paths: ['GET /health/live', 'GET /health/ready', 'GET /status', 'GET /metrics', ...Object.keys(sources.routes ?? {})],
  });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body, undefined, 2)}\n`);
}
