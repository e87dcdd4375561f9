import { blockingQuery } from './blocking-query.ts';
import { healthQuery } from './health-query.ts';
import type { ServiceWatch, ServiceWatchPorts } from './service-watch.ts';

interface Followed {
  readonly end: AbortController;
  isFailing: boolean;
}

/** Follows services by one blocking query each: Consul sends what changed and nothing else, but holds as many requests as there are services. */
export function watchEachService({ transport, hear, observe }: ServiceWatchPorts, signal: AbortSignal): ServiceWatch {
  const followed = new Map<string, Followed>();
  let wanted: ReadonlySet<string> | undefined;
  signal.addEventListener('abort', () => {
    for (const { end } of followed.values()) end.abort();
  });

  async function followOne(name: string, one: Followed): Promise<void> {
    const options = {
      waitMs: () => serviceWaitMs(followed.size),
      maxBackoffMs: MAX_BACKOFF_MS,
      observe: (state: Parameters<typeof observe>[1]) => {
        one.isFailing = state.kind === 'failing';
        observe(name, state);
      },
    };
    for await (const answer of blockingQuery(transport, healthQuery(name), options, one.end.signal)) hear(name, answer);
  }

  function start(name: string): void {
    const one = { end: new AbortController(), isFailing: false };
    followed.set(name, one);
    void followOne(name, one);
  }

  function stop(name: string): void {
    followed.get(name)?.end.abort();
    followed.delete(name);
  }

  return {
    follow: (names) => {
      if (names === wanted) return;
      wanted = names;
      for (const name of followed.keys()) if (!names.has(name)) stop(name);
      for (const name of names) if (!followed.has(name)) start(name);
    },
    renew: (what) => {
      for (const [name, { isFailing }] of [...followed]) {
        if (what === 'failing' && !isFailing) continue;
        stop(name);
        start(name);
      }
    },
  };
}

/** Long, because the list's own query tells soon enough that Consul is back. */
const MAX_BACKOFF_MS = 30_000;

/** How long Consul holds a service's query, milliseconds: the longer the more there are, so that 500 idle at less than one request a second. */
function serviceWaitMs(services: number): number {
  return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, services * WAIT_PER_SERVICE_MS));
}

const WAIT_PER_SERVICE_MS = 1_250;
const SHORTEST_WAIT_MS = 60_000;
/** What Consul allows. */
const LONGEST_WAIT_MS = 600_000;
