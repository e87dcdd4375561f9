/**
 * Maps that are another one with some values replaced. A change of one service's instances changes a value of a map of thousands: whoever has made something
 * of the map before need only look at what differs, and no map is copied.
 */

/** How many values are replaced at most; one more, and the map is copied. It bounds what a look at the changes costs, and how long values that went are kept. */
const MOST_REVISIONS = 64;

interface Revision {
  readonly base: ReadonlyMap<unknown, unknown>;
  readonly values: ReadonlyMap<unknown, unknown>;
}

const revisions = new WeakMap<ReadonlyMap<unknown, unknown>, Revision>();

/** `before` with values replaced, and its keys in their order; new keys come last. Pure; `before` itself when there is nothing to replace. */
export function withValues<Key, Value>(before: ReadonlyMap<Key, Value>, replaced: ReadonlyMap<Key, Value>): ReadonlyMap<Key, Value> {
  const changed = [...replaced].filter(([key, value]) => before.get(key) !== value);
  if (changed.length === 0) return before;
  if (changed.some(([key]) => !before.has(key))) return new Map([...before, ...changed]);
  const { base, values: old } = (revisions.get(before) as { base: typeof before; values: typeof before } | undefined) ?? {
    base: before,
    values: new Map<Key, Value>(),
  };
  const values = new Map([...old, ...changed]);
  if (values.size > MOST_REVISIONS) return new Map([...before, ...changed]);
  const after = revisedMap(base, values);
  revisions.set(after, { base, values });
  return after;
}

/** Keys whose values may differ; undefined where that is not known, and each has to be looked at. The keys themselves are the same, in the same order. Pure. */
export function changedKeys<Key>(before: ReadonlyMap<Key, unknown>, after: ReadonlyMap<Key, unknown>): readonly Key[] | undefined {
  if (before === after) return [];
  const [old, now] = [revisions.get(before), revisions.get(after)];
  if ((old?.base ?? before) !== (now?.base ?? after)) return undefined;
  const keys = new Set([...(old?.values.keys() ?? []), ...(now?.values.keys() ?? [])] as Key[]);
  return [...keys].filter((key) => before.get(key) !== after.get(key));
}

/** What the map was made of by replacing values, or itself: the same for all that {@link changedKeys} can compare. */
export function baseOf<Key, Value>(map: ReadonlyMap<Key, Value>): ReadonlyMap<Key, Value> {
  return (revisions.get(map)?.base as ReadonlyMap<Key, Value> | undefined) ?? map;
}

function revisedMap<Key, Value>(base: ReadonlyMap<Key, Value>, values: ReadonlyMap<Key, Value>): ReadonlyMap<Key, Value> {
  function* entries(): Generator<[Key, Value], undefined> {
    for (const [key, value] of base) yield [key, values.has(key) ? (values.get(key) as Value) : value];
  }
  function* all(): Generator<Value, undefined> {
    for (const [, value] of entries()) yield value;
  }
  const map: ReadonlyMap<Key, Value> = {
    size: base.size,
    has: (key) => base.has(key),
    get: (key) => (values.has(key) ? values.get(key) : base.get(key)),
    keys: () => base.keys(),
    values: all,
    entries,
    [Symbol.iterator]: entries,
    forEach: (callback) => {
      for (const [key, value] of entries()) callback(value, key, map);
    },
  };
  return map;
}
