import type { Logger } from '../daemon/log.ts';
import type { WatchWay } from './adaptive-service-watch.ts';
import type { QueryState } from './blocking-query.ts';
import { CATALOG_QUERY, DATACENTERS_QUERY, KEYS_QUERY } from './catalog-update.ts';

const OWN_QUERIES: ReadonlySet<string> = new Set([CATALOG_QUERY, KEYS_QUERY, DATACENTERS_QUERY]);

/** How a watch fares, for /status and metrics. */
export interface WatchStatus {
  /** How they are followed; undefined until the list is known. */
  readonly way: WatchWay | undefined;
  /** Services that are followed. */
  readonly services: number;
  /** Queries that get no answer at the moment, by query: their path, or a service's name. The catalog keeps their last answer. */
  readonly failing: readonly { readonly query: string; readonly since: number; readonly failures: number; readonly error: string }[];
}

/** Keeps the state of a watch's queries; logs when the first one fails and when none does any more. */
export type WatchBook = ReturnType<typeof createWatchBook>;

export function createWatchBook(log: Logger) {
  const failing = new Map<string, Extract<QueryState, { kind: 'failing' }>>();
  let followed = 0;
  let way: WatchWay | undefined;
  return {
    observe: (query: string, state: QueryState): void => {
      const failedBefore = failing.size;
      if (state.kind === 'failing') failing.set(query, state);
      else failing.delete(query);
      if (failedBefore === 0 && state.kind === 'failing') log.warn({ query, err: state.error }, 'consul does not answer, asking again');
      if (failedBefore > 0 && failing.size === 0) log.info({ query }, 'consul answers again');
    },
    isFailing: (query: string): boolean => failing.has(query),
    /** What is followed now, and how; forgets all else. */
    follows: (names: ReadonlySet<string>, by: WatchWay | undefined): void => {
      if (by !== way) log.info({ way: by, services: names.size }, 'way of watching chosen');
      way = by;
      followed = names.size;
      for (const query of failing.keys()) if (!OWN_QUERIES.has(query) && !names.has(query)) failing.delete(query);
    },
    status: (): WatchStatus => ({
      way,
      services: followed,
      failing: [...failing].map(([query, { since, failures, error }]) => ({ query, since, failures, error: error.message })),
    }),
  };
}
