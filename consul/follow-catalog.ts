import { sleep } from '../daemon/sleep.ts';
import { watchServices } from './adaptive-service-watch.ts';
import { blockingQuery, type QueryState } from './blocking-query.ts';
import { call } from './call.ts';
import { canBeAskedFor, parseDatacenters, parseServiceList } from './catalog-list.ts';
import { CATALOG_QUERY, DATACENTERS_QUERY, KEYS_QUERY } from './catalog-update.ts';
import type { GatheredCatalog } from './gathered-catalog.ts';
import { encodedKeyPath, parseKeyValues } from './key-values.ts';
import type { ServiceWatch } from './service-watch.ts';
import type { WatchTransport } from './transport.ts';
import type { WatchBook } from './watch-book.ts';

export interface FollowOptions {
  readonly transport: WatchTransport;
  readonly isWanted: (name: string, tags: readonly string[]) => boolean;
  readonly keyPrefix: string;
  /** Where the answers go. */
  readonly catalog: GatheredCatalog;
  readonly book: WatchBook;
  /** Told when a consumer can see a difference. */
  readonly changed: () => void;
}

/** Keeps the catalog true to Consul until the signal aborts. */
export async function followCatalog(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { transport, catalog, book, changed } = options;
  const services = watchServices(
    {
      transport,
      hear: (name, answer) => {
        if (catalog.serviceAnswered(name, answer)) changed();
      },
      observe: book.observe,
    },
    signal,
  );
  await Promise.all([followList(options, services, signal), followKeys(options, signal), pollDatacenters(options, services, signal)]);
}

/** Short for a held query: should the index of Consul's servers go back without an error, this is how long it can stay unseen. */
const LIST_WAIT_MS = 30_000;
/** Quick to come back: while the list cannot be had, nothing else is worth asking for. */
const LIST_MAX_BACKOFF_MS = 2_000;

async function followList(
  { transport, isWanted, catalog, book, changed }: FollowOptions,
  services: ReturnType<typeof watchServices>,
  signal: AbortSignal,
): Promise<void> {
  const observe = renewing(services, (state) => {
    if (state.kind === 'failing') catalog.listFailed();
    book.observe(CATALOG_QUERY, state);
  });
  const query = { path: CATALOG_QUERY, parse: parseServiceList };
  const options = { observe, waitMs: () => LIST_WAIT_MS, maxBackoffMs: LIST_MAX_BACKOFF_MS };
  for await (const answer of blockingQuery(transport, query, options, signal)) {
    const wanted = new Set<string>();
    const refused: string[] = [];
    for (const [name, tags] of answer.body) {
      if (!isWanted(name, tags)) continue;
      if (canBeAskedFor(name)) wanted.add(name);
      else refused.push(name);
    }
    const isChanged = catalog.listAnswered(answer, wanted, refused);
    services.follow(wanted, answer.index);
    if (answer.wentBackFrom !== undefined) services.renew('all');
    book.follows(wanted, services.way());
    if (isChanged) changed();
  }
}

async function followKeys({ transport, keyPrefix, catalog, book, changed }: FollowOptions, signal: AbortSignal): Promise<void> {
  const query = { path: `${KEYS_QUERY}/${encodedKeyPath(keyPrefix)}`, query: { recurse: 'true' }, parse: parseKeyValues };
  const options = { observe: (state: QueryState) => book.observe(KEYS_QUERY, state) };
  for await (const answer of blockingQuery(transport, query, options, signal)) if (catalog.keysAnswered(answer)) changed();
}

/** Consul does not hold this request. A poll also tells of an agent that hangs, long before a held query would. */
const DATACENTERS_EVERY_MS = 30_000;

async function pollDatacenters(
  { transport, catalog, book, changed }: FollowOptions,
  services: ServiceWatch,
  signal: AbortSignal,
): Promise<void> {
  const observe = renewing(services, (state) => book.observe(DATACENTERS_QUERY, state));
  let failures = 0;
  while (!signal.aborted) {
    try {
      const datacenters = parseDatacenters(await call(transport, { method: 'GET', path: DATACENTERS_QUERY }, signal));
      observe({ kind: 'ok', since: Date.now() });
      failures = 0;
      if (catalog.datacentersAnswered(datacenters)) changed();
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      observe({ kind: 'failing', since: Date.now(), failures, error: error instanceof Error ? error : new Error(String(error)) });
    }
    await sleep(failures === 0 ? DATACENTERS_EVERY_MS : LIST_MAX_BACKOFF_MS, signal);
  }
}

/** Asking for everything again costs a request a service; a source that comes and goes is not asked for it each time. */
const RENEW_ALL_EVERY_MS = 10_000;

/**
 * When one of the common queries is answered again, those of the services need not wait for the end of their pauses.
 * One that seems to be held may have been swallowed in the meantime: it is asked again too.
 */
function renewing(services: ServiceWatch, observe: (state: QueryState) => void): (state: QueryState) => void {
  let isFailing = false;
  let allRenewedAt = Number.NEGATIVE_INFINITY;
  return (state) => {
    observe(state);
    const isOver = isFailing && state.kind === 'ok';
    isFailing = state.kind === 'failing';
    if (!isOver) return;
    const isAllDue = performance.now() - allRenewedAt > RENEW_ALL_EVERY_MS;
    if (isAllDue) allRenewedAt = performance.now();
    services.renew(isAllDue ? 'all' : 'failing');
  };
}
