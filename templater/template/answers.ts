import type { QueryState } from '../../consul/blocking-query.ts';
import { ConsulRefusal, call } from '../../consul/call.ts';
import { parseServiceList } from '../../consul/catalog-list.ts';
import type { WatchTransport } from '../../consul/transport.ts';
import { createAlarm } from '../../daemon/alarm.ts';
import type { Logger } from '../../daemon/log.ts';
import { createAllFeeds } from './feeds/all-feeds.ts';
import type { Evidence } from './feeds/heard.ts';
import type { PulseTimes } from './feeds/pulse.ts';
import { doubt } from './guard.ts';
import { createHolds, type Hold } from './holds.ts';
import { datacenterOf, type Query } from './query.ts';
import { createStore, type Store } from './store.ts';

/** Everything that templates know of the world: the last answers that are believed, kept fresh. */
export interface Answers {
  readonly store: Store;
  readonly follow: (queries: readonly Query[]) => void;
  /** There never was an answer, and there will be none soon: a datacenter that does not answer while this one does. */
  readonly isGivenUp: (query: Query) => boolean;
  /** Why there is no answer at the moment; undefined when there is nothing wrong. */
  readonly failure: (query: Query) => string | undefined;
  readonly hasFailures: () => boolean;
  readonly failing: () => readonly { readonly query: string; readonly since: number; readonly failures: number; readonly error: string }[];
  readonly holds: () => readonly Hold[];
  /** Believes what is withheld of one query or service, or all; answers the queries. */
  readonly release: (subject?: string) => readonly string[];
}

export interface AnswersPorts {
  readonly transportFor: (dc: string) => WatchTransport;
  /** Something that a template can see differs, or may be given up now. */
  readonly changed: () => void;
  readonly log: Logger;
  readonly holdMs: number;
  readonly pulse: PulseTimes;
  readonly now?: () => number;
}

/** How long another datacenter may not answer before templates do without it, milliseconds. */
const GIVE_UP_MS = 10_000;

export function createAnswers({ transportFor, changed, log, holdMs, pulse, now = Date.now }: AnswersPorts, signal: AbortSignal): Answers {
  const store = createStore();
  const states = new Map<string, { readonly query: Query; readonly state: Extract<QueryState, { kind: 'failing' }> }>();
  const places = new Map<string, Place>();
  const heardAt = new Map<string, number>();
  let followed: ReadonlySet<string> = new Set();
  const alarm = createAlarm(changed);
  const holds = createHolds({ believe: (query, view) => put(query, view), holdMs, log, now }, signal);

  function placeOf(query: Query): Place {
    const dc = datacenterOf(query);
    const place = places.get(dc) ?? { isEmpty: false, heardAt: 0, failedAt: 0, wentBackAt: 0 };
    places.set(dc, place);
    return place;
  }

  function put(query: Query, view: unknown): void {
    if (store.put(query, view)) changed();
  }

  function hear(query: Query, answer: unknown, evidence: Evidence): void {
    const place = placeOf(query);
    const wasFailing = states.delete(query.id);
    place.heardAt = now();
    if (evidence.wentBackFrom !== undefined) place.wentBackAt = now();
    if (query.source.kind === 'services') place.isEmpty = isEmptyCatalog(answer);
    const view = store.view(query, answer);
    if (view === undefined && query.size === undefined && query.source.kind === 'services') return;
    const before = sizeOf(query, store.get(query.id)?.view);
    const emptied = before !== undefined && before > 0 && sizeOf(query, view) === 0;
    if (emptied && query.source.kind === 'service' && !place.isEmpty) void confirmEmpty(query, view, evidence);
    else settle(query, view, evidence);
    if (wasFailing) changed();
  }

  /** A service that lost its last instance: was it alone in that? The list of services may not have arrived yet. */
  async function confirmEmpty(query: Query, view: unknown, evidence: Evidence): Promise<void> {
    const place = placeOf(query);
    const heard = now();
    heardAt.set(query.id, heard);
    try {
      place.isEmpty = isEmptyCatalog(
        parseServiceList(await call(transportFor(datacenterOf(query)), { method: 'GET', path: '/v1/catalog/services' }, signal)),
      );
    } catch {
      place.failedAt = now();
    }
    if (!signal.aborted && heardAt.get(query.id) === heard) settle(query, view, evidence);
  }

  function settle(query: Query, view: unknown, evidence: Evidence): void {
    const place = placeOf(query);
    const last = heardAt.get(query.id) ?? 0;
    const why = doubt({
      before: sizeOf(query, store.get(query.id)?.view),
      after: sizeOf(query, view) ?? 0,
      evidence,
      trouble: place.wentBackAt >= last ? 'went back' : place.failedAt >= last ? 'failed' : 'none',
      isCatalogEmpty: place.isEmpty,
      isHeld: holds.has(query.id),
    });
    if (why !== undefined) {
      holds.hold(query, view, why);
      changed();
      return;
    }
    heardAt.set(query.id, now());
    holds.over(query.id);
    put(query, view);
  }

  function observe(query: Query, state: QueryState): void {
    if (state.kind === 'ok') return;
    if (states.size === 0) log.warn({ query: query.id, err: state.error }, 'no answer, asking again');
    const isNews = !states.has(query.id);
    states.set(query.id, { query, state });
    placeOf(query).failedAt = now();
    if (isNews) changed();
    if (datacenterOf(query) !== '') alarm.in(GIVE_UP_MS, 'a datacenter may be given up');
  }

  const feeds = createAllFeeds({ transportFor, hear: guarded(hear, observe, now), observe }, pulse, signal);
  return {
    store,
    follow: (queries) => {
      const wanted = new Set(queries.map(({ id }) => id));
      if (wanted.size === followed.size && [...wanted].every((id) => followed.has(id))) return;
      followed = wanted;
      feeds.follow(queries);
      for (const id of heardAt.keys()) if (!wanted.has(id)) forget(id);
      for (const id of states.keys()) if (!wanted.has(id)) states.delete(id);
    },
    isGivenUp: (query) => {
      const failing = states.get(query.id)?.state;
      if (datacenterOf(query) === '' || failing === undefined || now() - failing.since < GIVE_UP_MS) return false;
      return failing.error instanceof ConsulRefusal || (places.get('')?.heardAt ?? 0) > failing.since;
    },
    failure: (query) => states.get(query.id)?.state.error.message,
    hasFailures: () => states.size > 0,
    failing: () =>
      [...states].map(([id, { state }]) => ({ query: id, since: state.since, failures: state.failures, error: state.error.message })),
    holds: holds.list,
    release: holds.release,
  };

  function forget(id: string): void {
    heardAt.delete(id);
    store.forget(id);
    holds.over(id);
  }
}

/** What is known of a datacenter; times in milliseconds since the epoch, 0 for never. */
interface Place {
  isEmpty: boolean;
  heardAt: number;
  failedAt: number;
  wentBackAt: number;
}

function isEmptyCatalog(list: unknown): boolean {
  const names = list instanceof Map ? [...list.keys()] : [];
  return names.every((name) => name === 'consul');
}

function sizeOf(query: Query, view: unknown): number | undefined {
  return view === undefined && query.source.kind !== 'key' ? undefined : query.size?.(view);
}

/** An answer that cannot be read is no answer. */
function guarded(
  hear: (query: Query, answer: unknown, evidence: Evidence) => void,
  observe: (query: Query, state: QueryState) => void,
  now: () => number,
): typeof hear {
  return (query, answer, evidence) => {
    try {
      hear(query, answer, evidence);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      observe(query, { kind: 'failing', since: now(), failures: 1, error });
    }
  };
}
