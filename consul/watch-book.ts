import type { Logger } from '../daemon/log.ts';
import type { QueryState } from './blocking-query.ts';
import { CATALOG_QUERY, KEYS_QUERY } from './catalog-update.ts';

/** How a watch fares, for /status and metrics. */
export interface WatchStatus {
  /** Services that are followed. */
  readonly services: number;
  /** Queries that get no answer at the moment, by query: {@link CATALOG_QUERY}, {@link KEYS_QUERY}, or a service's name. The catalog keeps their last answer. */
  readonly failing: readonly { readonly query: string; readonly since: number; readonly failures: number; readonly error: string }[];
}

/** Keeps the state of a watch's queries; logs when the first one fails and when none does any more. */
export function createWatchBook(log: Logger) {
  const failing = new Map<string, Extract<QueryState, { kind: 'failing' }>>();
  let followed = 0;
  return {
    observe: (query: string, state: QueryState): void => {
      const failedBefore = failing.size;
      if (state.kind === 'failing') failing.set(query, state);
      else failing.delete(query);
      if (failedBefore === 0 && state.kind === 'failing') log.warn({ query, err: state.error }, 'consul does not answer, asking again');
      if (failedBefore > 0 && failing.size === 0) log.info({ query }, 'consul answers again');
    },
    /** Forgets the services that are followed no more. */
    follows: (names: ReadonlySet<string>): void => {
      followed = names.size;
      for (const query of failing.keys()) if (query !== CATALOG_QUERY && query !== KEYS_QUERY && !names.has(query)) failing.delete(query);
    },
    status: (): WatchStatus => ({
      services: followed,
      failing: [...failing].map(([query, { since, failures, error }]) => ({ query, since, failures, error: error.message })),
    }),
  };
}
