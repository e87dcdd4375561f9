import { type BlockingOptions, blockingQuery } from './blocking-query.ts';
import type { ServiceAnswer } from './gathered-catalog.ts';
import { parseHealthEntries } from './health-entry.ts';
import type { ConsulTransport } from './transport.ts';

/** Where a way of watching puts what it heard. */
export type HearService = (name: string, answer: ServiceAnswer) => void;

/** Follows services by one blocking query each: Consul sends what changed, and nothing else. */
export function watchEachService(
  transport: ConsulTransport,
  hear: HearService,
  options: (name: string) => BlockingOptions,
  signal: AbortSignal,
) {
  const followed = new Map<string, AbortController>();

  async function followOne(name: string, end: AbortSignal): Promise<void> {
    const query = { path: `/v1/health/service/${encodeURIComponent(name)}`, parse: (json: unknown) => parseHealthEntries(json, name) };
    for await (const answer of blockingQuery(transport, query, options(name), end)) hear(name, answer);
  }

  return {
    follow: (names: ReadonlySet<string>): void => {
      for (const [name, end] of followed) {
        if (names.has(name)) continue;
        end.abort();
        followed.delete(name);
      }
      for (const name of names) {
        if (followed.has(name) || signal.aborted) continue;
        const end = new AbortController();
        signal.addEventListener('abort', () => end.abort(), { once: true, signal: end.signal });
        followed.set(name, end);
        void followOne(name, end.signal);
      }
    },
  };
}
