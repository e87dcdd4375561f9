import { Agent, request } from 'node:http';
import type { HttpAnswer } from './fleet.ts';

export interface LoadOptions {
  /** `127.0.0.1` unless said. */
  readonly address?: string;
  readonly port: number;
  /** The Host header. */
  readonly host: string;
  readonly path?: string;
  readonly method?: 'GET' | 'POST';
  /** How many ask at the same time, each on a kept connection; 8 unless said. */
  readonly clients?: number;
  /** Between an answer and the client's next request, milliseconds; 0 unless said. */
  readonly pauseMs?: number;
}

export interface LoadReport {
  readonly requests: number;
  /** Statuses other than 2xx and broken connections, with how often each was seen. */
  readonly failures: Readonly<Record<string, number>>;
  readonly failed: number;
  /** Requests by the instance that answered. */
  readonly byInstance: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
}

export interface Load extends AsyncDisposable {
  /** How it is so far. */
  readonly report: () => LoadReport;
  /** Ends after the requests under way. */
  readonly stop: () => Promise<LoadReport>;
}

/** How long one request may take before it counts as failed, milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Clients that ask without end on kept connections, and count every answer. */
export function startLoad(options: LoadOptions): Load {
  const { clients = 8, pauseMs = 0 } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const [failures, byInstance] = [new Map<string, number>(), new Map<string, number>()];
  const start = performance.now();
  let requests = 0;
  let stopping = false;

  const client = async () => {
    while (!stopping) {
      const { failure, instance } = await ask(options, agent);
      requests += 1;
      if (failure !== undefined) failures.set(failure, (failures.get(failure) ?? 0) + 1);
      if (instance !== undefined) byInstance.set(instance, (byInstance.get(instance) ?? 0) + 1);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const done = Promise.all(Array.from({ length: clients }, client));
  const report = (): LoadReport => ({
    requests,
    failures: Object.fromEntries(failures),
    failed: [...failures.values()].reduce((sum, count) => sum + count, 0),
    byInstance: Object.fromEntries(byInstance),
    elapsedMs: performance.now() - start,
  });
  const stop = async () => {
    stopping = true;
    await done;
    agent.destroy();
    return report();
  };
  return {
    report,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

interface Outcome {
  readonly failure?: string;
  readonly instance?: string;
}

function ask({ address = '127.0.0.1', port, host, path = '/', method = 'GET' }: LoadOptions, agent: Agent): Promise<Outcome> {
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) => resolve({ failure: error.code ?? error.message });
    const outgoing = request({ host: address, port, path, method, agent, headers: { host } }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.on('error', fail);
      incoming.on('close', () => resolve(incoming.complete ? outcomeOf(incoming.statusCode ?? 0, text) : { failure: 'cut off' }));
    });
    outgoing.on('error', fail);
    outgoing.setTimeout(REQUEST_TIMEOUT_MS, () => outgoing.destroy(new Error('timeout')));
    outgoing.end();
  });
}

/** Who answered, when it was one of a fleet. */
function outcomeOf(status: number, text: string): Outcome {
  if (status < 200 || status > 299) return { failure: String(status) };
  if (!text.startsWith('{')) return {};
  const { instance } = JSON.parse(text) as Partial<HttpAnswer>;
  return instance === undefined ? {} : { instance };
}
