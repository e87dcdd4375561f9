import { nodeCrypto } from './lazy-packages.ts';
import type { Query } from './query.ts';

/** What is known of a query. */
export interface Known {
  readonly view: unknown;
  /** Counts what a template can see, checks' output left out. */
  readonly version: number;
  /** Counts what differs at all. */
  readonly detail: number;
}

/** What a template saw of a query when it was rendered. */
export interface Seen {
  readonly query: Query;
  readonly version: number;
  /** Undefined when it did not look at details. */
  readonly detail: number | undefined;
}

/** The last good answers. Knows nothing of where they come from, nor when to believe them. */
export interface Store {
  readonly get: (id: string) => Known | undefined;
  /** What templates get of an answer. @throws what the query's view throws for an answer that it cannot read. */
  readonly view: (query: Query, answer: unknown) => unknown;
  /** Keeps a view; answers whether anything differs from before. */
  readonly put: (query: Query, view: unknown) => boolean;
  readonly forget: (id: string) => void;
  /** Notes which queries had their details looked at while `run` runs. */
  readonly noting: <Result>(run: () => Result) => { readonly result: Result; readonly details: ReadonlySet<string> };
}

interface Entry extends Known {
  /** Of a view that nothing was compared with yet: made when there is something. */
  readonly visiblePrint: () => string;
  readonly detailPrint: () => string;
}

export function createStore(): Store {
  const entries = new Map<string, Entry>();
  let details = new Set<string>();
  let last = 0;
  return {
    get: (id) => entries.get(id),
    view: (query, answer) => query.view(answer, () => details.add(query.id)),
    put: (query, view) => {
      const before = entries.get(query.id);
      const visiblePrint = once(() => print(view, false));
      const detailPrint = once(() => print(view, true));
      if (before !== undefined && before.detailPrint() === detailPrint()) return false;
      last++;
      const version = before !== undefined && before.visiblePrint() === visiblePrint() ? before.version : last;
      entries.set(query.id, { view, version, detail: last, visiblePrint, detailPrint });
      return true;
    },
    forget: (id) => void entries.delete(id),
    noting: (run) => {
      const before = details;
      details = new Set();
      try {
        const result = run();
        return { result, details };
      } finally {
        details = before;
      }
    },
  };
}

/** True when what a template saw is what is known now. */
export function isStillSeen(store: Store, { query, version, detail }: Seen): boolean {
  const known = store.get(query.id);
  return (known?.version ?? 0) === version && (detail === undefined || known?.detail === detail);
}

function once(make: () => string): () => string {
  let made: string | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function print(view: unknown, withChecks: boolean): string {
  const text = JSON.stringify(view, withChecks ? undefined : (key, value: unknown) => (key === 'checks' ? undefined : value)) ?? '';
  return text.length < 64 ? text : nodeCrypto().createHash('sha1').update(text).digest('base64');
}
