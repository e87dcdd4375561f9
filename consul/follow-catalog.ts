import { sleep } from '../daemon/sleep.ts';
import { watchServices } from './adaptive-service-watch.ts';
import { blockingQuery, createRenewal, MIN_INTERVAL_MS, type QueryState, type Renewal } from './blocking-query.ts';
import { call } from './call.ts';
import { canBeAskedFor, parseDatacenters, rememberedServiceList, type ServiceList } from './catalog-list.ts';
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
  const keys = createRenewal();
  const all: Pick<ServiceWatch, 'renew'> = {
    renew: (what) => {
      services.renew(what);
      if (what === 'all') keys.renew();
    },
  };
  await Promise.all([followList(options, services, all, signal), followKeys(options, keys, signal), pollDatacenters(options, all, signal)]);
}

/**
 * Short for held queries: of all of them this one tells that an agent hung and swallowed them, or that the index of Consul's servers went back without an
 * error. Every query of 500 services together stays below one request a second.
 */
const LIST_WAIT_MS = 10_000;
const LIST_WITHIN_MS = 5_000;
/** It is renewed when the list's query finds that it may have been swallowed. */
const KEYS_WAIT_MS = 300_000;
/** Quick to come back: while the list cannot be had, nothing else is worth asking for. */
const LIST_MAX_BACKOFF_MS = 2_000;

async function followList(
  { transport, isWanted, catalog, book, changed }: FollowOptions,
  services: ReturnType<typeof watchServices>,
  all: Pick<ServiceWatch, 'renew'>,
  signal: AbortSignal,
): Promise<void> {
  const observe = renewing(all, (state) => {
    if (state.kind === 'failing') catalog.listFailed();
    book.observe(CATALOG_QUERY, state);
  });
  const query = { path: CATALOG_QUERY, parse: rememberedServiceList() };
  let named: NamedServices | undefined;
  let isNews = true;
  const options = {
    observe,
    waitMs: () => LIST_WAIT_MS,
    minIntervalMs: () => (isNews || services.way() !== 'each' ? MIN_INTERVAL_MS : sameListIntervalMs(named?.list.size ?? 0)),
    answerWithinMs: LIST_WITHIN_MS,
    maxBackoffMs: LIST_MAX_BACKOFF_MS,
  };
  for await (const answer of blockingQuery(transport, query, options, signal)) {
    // The index moves with every instance; the names seldom do.
    isNews = named?.list !== answer.body;
    if (named === undefined || isNews) named = namedServices(answer.body, isWanted);
    const { wanted, refused } = named;
    const isChanged = catalog.listAnswered(answer, wanted, refused);
    services.follow(wanted, answer.index);
    if (answer.wentBackFrom !== undefined) services.renew('all');
    book.follows(wanted, services.way());
    if (isChanged) changed();
  }
}

/**
 * How soon a list that said nothing new is asked for again while instances come and go: the whole of it comes with each of them, and is half of what their
 * change costs. Only where each service has a query of its own, which tells of them: a service that is new right behind two such changes is seen so much
 * later.
 */
function sameListIntervalMs(services: number): number {
  return Math.max(MIN_INTERVAL_MS, Math.min(MOST_SAME_LIST_INTERVAL_MS, services / 2));
}

const MOST_SAME_LIST_INTERVAL_MS = 250;

interface NamedServices {
  readonly list: ServiceList;
  readonly wanted: ReadonlySet<string>;
  /** Wanted too, and Consul cannot be asked for them. */
  readonly refused: readonly string[];
}

function namedServices(list: ServiceList, isWanted: FollowOptions['isWanted']): NamedServices {
  const wanted = new Set<string>();
  const refused: string[] = [];
  for (const [name, tags] of list) {
    if (!isWanted(name, tags)) continue;
    if (canBeAskedFor(name)) wanted.add(name);
    else refused.push(name);
  }
  return { list, wanted, refused };
}

async function followKeys(
  { transport, keyPrefix, catalog, book, changed }: FollowOptions,
  renewal: Renewal,
  signal: AbortSignal,
): Promise<void> {
  const query = { path: `${KEYS_QUERY}/${encodedKeyPath(keyPrefix)}`, query: { recurse: 'true' }, parse: parseKeyValues };
  const options = { observe: (state: QueryState) => book.observe(KEYS_QUERY, state), waitMs: () => KEYS_WAIT_MS, renewal };
  for await (const answer of blockingQuery(transport, query, options, signal)) if (catalog.keysAnswered(answer)) changed();
}

/** Consul does not hold this request. A new datacenter is known within a minute. */
const DATACENTERS_EVERY_MS = 45_000;

async function pollDatacenters(
  { transport, catalog, book, changed }: FollowOptions,
  all: Pick<ServiceWatch, 'renew'>,
  signal: AbortSignal,
): Promise<void> {
  const observe = renewing(all, (state) => book.observe(DATACENTERS_QUERY, state));
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
function renewing(all: Pick<ServiceWatch, 'renew'>, observe: (state: QueryState) => void): (state: QueryState) => void {
  let isFailing = false;
  let allRenewedAt = Number.NEGATIVE_INFINITY;
  return (state) => {
    observe(state);
    const isOver = isFailing && state.kind === 'ok';
    isFailing = state.kind === 'failing';
    if (!isOver) return;
    const isAllDue = performance.now() - allRenewedAt > RENEW_ALL_EVERY_MS;
    if (isAllDue) allRenewedAt = performance.now();
    all.renew(isAllDue ? 'all' : 'failing');
  };
}
