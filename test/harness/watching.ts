import type { CatalogUpdate } from '../../consul/catalog-update.ts';
import type { WatchTransport } from '../../consul/transport.ts';
import type { WatchStatus } from '../../consul/watch-book.ts';
import { type WatchOptions, watchCatalog } from '../../consul/watch-catalog.ts';
import { createLog } from '../../daemon/log.ts';
import { until } from './until.ts';

/** A consumer of the catalog watch that is never busy and keeps every update. */
export interface Watching extends AsyncDisposable {
  readonly updates: readonly CatalogUpdate[];
  readonly status: () => WatchStatus;
  /** Waits for an update that fits, from the newest one on; answers it. */
  readonly sees: (what: string, fits: (update: CatalogUpdate) => boolean, budgetMs?: number) => Promise<CatalogUpdate>;
}

/** Follows the services with the tag `haproxy`, and the keys below `haproxy/`. */
export function startWatching(transport: WatchTransport, options: Partial<WatchOptions> = {}): Watching {
  const end = new AbortController();
  const isWanted = (_: string, tags: readonly string[]) => tags.includes('haproxy');
  const log = createLog('test', 'silent');
  const watch = watchCatalog({ transport, isWanted, keyPrefix: 'haproxy/', log, ...options }, end.signal);
  const updates: CatalogUpdate[] = [];
  const ended = (async () => {
    for await (const update of watch) updates.push(update);
  })();
  return {
    updates,
    status: watch.status,
    sees: async (what, fits, budgetMs = 5_000) => {
      const from = Math.max(0, updates.length - 1);
      return await until(() => updates.slice(from).findLast(fits), budgetMs, what);
    },
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await ended;
    },
  };
}
