import { createDoorbell } from '../daemon/doorbell.ts';
import type { Logger } from '../daemon/log.ts';
import { sleep } from '../daemon/sleep.ts';
import { type BlockingAnswer, blockingQuery, type QueryState } from './blocking-query.ts';
import { call } from './call.ts';
import { parseDatacenters, parseServiceList, type ServiceList } from './catalog-list.ts';
import { CATALOG_QUERY, type CatalogUpdate, KEYS_QUERY } from './catalog-update.ts';
import { watchEachService } from './each-service-watch.ts';
import { createGatheredCatalog, type GatheredCatalog } from './gathered-catalog.ts';
import { encodedKeyPath, parseKeyValues } from './key-values.ts';
import type { ConsulTransport } from './transport.ts';
import { createWatchBook, type WatchStatus } from './watch-book.ts';

export interface WatchOptions {
  readonly transport: ConsulTransport;
  /** Whether a service is worth following, by its name and the tags of all its instances together. */
  readonly isWanted: (name: string, tags: readonly string[]) => boolean;
  /** Which keys belong to the catalog, such as `haproxy/`. */
  readonly keyPrefix: string;
  readonly log: Logger;
  /** How long a snapshot waits for the services that are new to it at the start, milliseconds. */
  readonly gatherMs?: number;
}

/** Snapshots as they come; one that nobody took in time is replaced by the next. To be iterated once. */
export interface CatalogWatch extends AsyncIterable<CatalogUpdate> {
  readonly status: () => WatchStatus;
}

const GATHER_MS = 5_000;
const DATACENTERS_EVERY_MS = 20_000;

/** Follows everything the edge is made of. Ends with the signal, or when the iteration is left; Consul being away is told by `status`, and is no error. */
export function watchCatalog(options: WatchOptions, signal: AbortSignal): CatalogWatch {
  const book = createWatchBook(options.log);
  return { status: book.status, [Symbol.asyncIterator]: () => updates(options, book, signal) };
}

type WatchBook = ReturnType<typeof createWatchBook>;

async function* updates(options: WatchOptions, book: WatchBook, signal: AbortSignal): AsyncGenerator<CatalogUpdate, void, void> {
  const left = new AbortController();
  const end = AbortSignal.any([signal, left.signal]);
  const catalog = createGatheredCatalog();
  const bell = createDoorbell();
  let crash: { readonly error: unknown } | undefined;
  const parts = follow(options, catalog, book, bell.ring, end).catch((error: unknown) => {
    crash = { error };
    bell.ring();
  });
  try {
    await gathered(catalog, bell, options.gatherMs ?? GATHER_MS, end);
    while (!end.aborted) {
      if (crash !== undefined) throw crash.error;
      if (catalog.isListed()) yield catalog.take();
      await bell.rung(end);
    }
  } finally {
    left.abort();
    await parts;
  }
}

/** Resolves when the first snapshot is whole, or when it has been waited for long enough since the list was known. */
async function gathered(
  catalog: GatheredCatalog,
  bell: { rung: (signal: AbortSignal) => Promise<void> },
  mostMs: number,
  signal: AbortSignal,
) {
  while (!catalog.isListed() && !signal.aborted) await bell.rung(signal);
  const enough = AbortSignal.any([signal, AbortSignal.timeout(mostMs)]);
  while (!catalog.isComplete() && !enough.aborted) await bell.rung(enough);
}

async function follow(
  { transport, isWanted, keyPrefix }: WatchOptions,
  catalog: GatheredCatalog,
  book: WatchBook,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  const observe = (query: string) => ({ observe: (state: QueryState) => book.observe(query, state) });
  const services = watchEachService(
    transport,
    (name, answer) => {
      if (catalog.serviceAnswered(name, answer)) changed();
    },
    (name) => ({ waitMs: serviceWaitMs, ...observe(name) }),
    signal,
  );
  let followed = 0;
  const serviceWaitMs = () => Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, followed * WAIT_PER_SERVICE_MS));

  async function followList(): Promise<void> {
    const query = { path: CATALOG_QUERY, parse: parseServiceList };
    for await (const answer of blockingQuery(transport, query, observe(CATALOG_QUERY), signal)) {
      const wanted = wantedNames(answer, isWanted);
      const isChanged = catalog.listAnswered(answer, wanted);
      followed = wanted.size;
      book.follows(wanted);
      services.follow(wanted);
      if (isChanged) changed();
    }
  }

  async function followKeys(): Promise<void> {
    const query = { path: `${KEYS_QUERY}/${encodedKeyPath(keyPrefix)}`, query: { recurse: 'true' }, parse: parseKeyValues };
    for await (const answer of blockingQuery(transport, query, observe(KEYS_QUERY), signal)) if (catalog.keysAnswered(answer)) changed();
  }

  async function pollDatacenters(): Promise<void> {
    while (!signal.aborted) {
      try {
        const answer = await call(transport, { method: 'GET', path: '/v1/catalog/datacenters' }, signal);
        if (catalog.datacentersAnswered(parseDatacenters(answer))) changed();
      } catch {
        // The list's own query tells that Consul is away; the datacenters of before stay.
      }
      await sleep(DATACENTERS_EVERY_MS, signal);
    }
  }

  await Promise.all([followList(), followKeys(), pollDatacenters()]);
}

/** 500 services idle at less than a request a second. */
const WAIT_PER_SERVICE_MS = 1_250;
const SHORTEST_WAIT_MS = 60_000;
/** What Consul allows. */
const LONGEST_WAIT_MS = 600_000;

function wantedNames({ body }: BlockingAnswer<ServiceList>, isWanted: WatchOptions['isWanted']): ReadonlySet<string> {
  return new Set([...body].flatMap(([name, tags]) => (isWanted(name, tags) ? [name] : [])));
}
