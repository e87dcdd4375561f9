import { createDoorbell, type Doorbell } from '../daemon/doorbell.ts';
import { innerSignal } from '../daemon/inner-signal.ts';
import type { Logger } from '../daemon/log.ts';
import { sleep } from '../daemon/sleep.ts';
import { CATALOG_QUERY, type CatalogUpdate } from './catalog-update.ts';
import { followCatalog } from './follow-catalog.ts';
import { createGatheredCatalog, type GatheredCatalog } from './gathered-catalog.ts';
import type { WatchTransport } from './transport.ts';
import { createWatchBook, type WatchBook, type WatchStatus } from './watch-book.ts';

export interface WatchOptions {
  readonly transport: WatchTransport;
  /** Whether a service is worth following, by its name and the tags of all its instances together. */
  readonly isWanted: (name: string, tags: readonly string[]) => boolean;
  /** Which keys belong to the catalog, such as `haproxy/`. */
  readonly keyPrefix: string;
  readonly log: Logger;
  /** How long the first snapshot waits without a further answer, milliseconds; then it comes without the services that are missing. */
  readonly gatherMs?: number;
}

/** Snapshots as they come; one that nobody took in time is replaced by the next. To be iterated once. */
export interface CatalogWatch extends AsyncIterable<CatalogUpdate> {
  readonly status: () => WatchStatus;
}

const GATHER_MS = 5_000;
/** After an outage the list speaks first: it alone tells that Consul came back younger, and services that answer before it would look emptied. Milliseconds. */
const LIST_RECOVERS_EVERY_MS = 20;

/**
 * Follows everything the edge is made of. The first snapshot comes when all that was listed at the start has answered; later ones when something
 * a consumer can see has changed. Ends with the signal, or when the iteration is left. Consul being away is told by `status` and the log,
 * and is no error: the last snapshot stays what it is.
 */
export function watchCatalog(options: WatchOptions, signal: AbortSignal): CatalogWatch {
  const book = createWatchBook(options.log);
  return { status: book.status, [Symbol.asyncIterator]: () => updates(options, book, signal) };
}

async function* updates(options: WatchOptions, book: WatchBook, signal: AbortSignal): AsyncGenerator<CatalogUpdate, void, void> {
  const left = innerSignal(signal);
  const end = left.signal;
  const catalog = createGatheredCatalog();
  const bell = createDoorbell();
  let crash: { readonly error: unknown } | undefined;
  const following = followCatalog({ ...options, catalog, book, changed: bell.ring }, end).catch((error: unknown) => {
    crash = { error };
    left.end();
  });
  try {
    while (!end.aborted) {
      await bell.rung(end);
      await gathered(catalog, bell, options.gatherMs ?? GATHER_MS, end);
      while (book.isFailing(CATALOG_QUERY) && !end.aborted) await sleep(LIST_RECOVERS_EVERY_MS, end);
      if (catalog.isListed() && !end.aborted) yield catalog.take();
    }
  } finally {
    left.end();
    await following;
  }
  if (crash !== undefined) throw crash.error;
}

/** Resolves when there is a whole snapshot, or when nothing was answered for so long that the rest is not worth waiting for. */
async function gathered(catalog: GatheredCatalog, bell: Doorbell, patienceMs: number, signal: AbortSignal): Promise<void> {
  while (!catalog.isListed() && !signal.aborted) await bell.rung(signal);
  if (!catalog.isGathering()) return;
  const enough = innerSignal(signal);
  const patience = setTimeout(enough.end, patienceMs);
  let answered = 0;
  while (catalog.isGathering() && !enough.signal.aborted) {
    if (catalog.answered() > answered) patience.refresh();
    answered = catalog.answered();
    await bell.rung(enough.signal);
  }
  clearTimeout(patience);
  enough.end();
}
