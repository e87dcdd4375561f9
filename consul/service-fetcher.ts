import { backoffMs } from '../daemon/backoff.ts';
import { sleep } from '../daemon/sleep.ts';
import { askNow } from './blocking-query.ts';
import { healthQuery } from './health-query.ts';
import type { ServiceWatchPorts } from './service-watch.ts';

/** Services that are asked for at once. */
const AT_ONCE = 16;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 10_000;

/** Asks for services now, a few at a time. */
export interface ServiceFetcher {
  /** One that is being asked for is asked for once more: the answer on its way may be older than what is wanted. */
  readonly fetch: (names: Iterable<string>) => void;
  /** The same for one whose answer on its way may be another Consul's: that one is not heard. */
  readonly fetchAnew: (names: Iterable<string>) => void;
  /** Services whose last answer is newer than this index, or is still on its way. */
  readonly newerThan: (index: number) => readonly string[];
  /** Forgets all services but these. */
  readonly keep: (names: ReadonlySet<string>) => void;
  /** Tries those at once that failed. */
  readonly hurry: () => void;
}

/** A service that cannot be had is tried again until it can, with pauses. */
export function createServiceFetcher({ transport, hear, observe }: ServiceWatchPorts, signal: AbortSignal): ServiceFetcher {
  const waiting = new Set<string>();
  /** Being asked for; true when it has to be asked for once more. */
  const asked = new Map<string, boolean>();
  /** Of these, those whose answer is not to be heard. */
  const outdated = new Set<string>();
  const failing = new Map<string, { readonly since: number; readonly failures: number }>();
  /** The index of each service's last answer. */
  const indexes = new Map<string, number>();
  let kept: ReadonlySet<string> = new Set();
  let busy = 0;

  function fetch(names: Iterable<string>): void {
    for (const name of names) {
      if (asked.has(name)) asked.set(name, true);
      else if (kept.has(name)) waiting.add(name);
    }
    while (busy < AT_ONCE && waiting.size > 0 && !signal.aborted) {
      busy++;
      void work();
    }
  }

  async function work(): Promise<void> {
    for (const name of waiting) {
      if (signal.aborted) break;
      waiting.delete(name);
      asked.set(name, false);
      await fetchOne(name);
      if (asked.get(name) === true && kept.has(name)) waiting.add(name);
      asked.delete(name);
    }
    busy--;
  }

  async function fetchOne(name: string): Promise<void> {
    try {
      const answer = await askNow(transport, healthQuery(name), signal);
      if (outdated.delete(name) || !kept.has(name)) return;
      if (failing.delete(name)) observe(name, { kind: 'ok', since: Date.now() });
      indexes.set(name, answer.index);
      hear(name, answer);
    } catch (error) {
      outdated.delete(name);
      if (signal.aborted || !kept.has(name)) return;
      const { since, failures } = failing.get(name) ?? { since: Date.now(), failures: 0 };
      failing.set(name, { since, failures: failures + 1 });
      observe(name, { kind: 'failing', since, failures: failures + 1, error: error instanceof Error ? error : new Error(String(error)) });
      void retry(name, failures + 1);
    }
  }

  async function retry(name: string, failures: number): Promise<void> {
    await sleep(backoffMs(failures, FIRST_BACKOFF_MS, MAX_BACKOFF_MS), signal);
    if (failing.get(name)?.failures === failures) fetch([name]);
  }

  return {
    fetch,
    fetchAnew: (names) => {
      const all = [...names];
      for (const name of all) if (asked.has(name)) outdated.add(name);
      fetch(all);
    },
    newerThan: (index) => [...asked.keys(), ...[...indexes].flatMap(([name, own]) => (own > index ? [name] : []))],
    keep: (names) => {
      kept = names;
      for (const known of [waiting, failing, indexes]) for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    },
    hurry: () => fetch([...failing.keys()]),
  };
}
