import { byteOrder } from '../../../model/compare.ts';
import { asThese, holdsFloats, withFloats } from './go-floats.ts';
import { asList, asMap, asText, type Filter, isMap, shown, type ValueMap } from './values.ts';

/** Key-value pairs to maps, and maps with each other. Pure. */
export const mapFilters = {
  /** A tree as a map of its first path segments; keys below are relative to theirs. */
  byKey: (value) => {
    const groups = new Map<string, [string, unknown][]>();
    for (const pair of pairs(value, 'byKey')) {
      const slash = pair.key.indexOf('/');
      const rest = slash === -1 ? '' : pair.key.slice(slash + 1);
      if (rest !== '') pushTo(groups, pair.key.slice(0, slash), [rest, { ...pair, key: rest }]);
    }
    return Object.fromEntries([...groups].map(([top, entries]) => [top, Object.fromEntries(entries)]));
  },
  /** A tree as nested maps of values. */
  explode: (value) =>
    exploded(
      pairs(value, 'explode').map(({ key, value: text }) => [key, text]),
      'explode',
    ),
  /** A flat map whose keys have slashes as nested maps. */
  explodeMap: (value) => {
    const map = asMap(value, 'explodeMap');
    const nested = exploded(
      Object.entries(map).sort(([a], [b]) => byteOrder(a, b)),
      'explodeMap',
    );
    return holdsFloats(map) ? withFloats(nested) : nested;
  },
  /** What `base` has and is not empty wins; a `null` that is piped in never does. */
  mergeMap: (value, base) =>
    merged(asMap(base, 'mergeMap'), asMap(value, 'mergeMap'), (mine, theirs) => (isEmpty(mine) && theirs !== null ? theirs : mine)),
  /** What is piped in wins, empty or not. */
  mergeMapWithOverride: (value, base) =>
    merged(asMap(base, 'mergeMapWithOverride'), asMap(value, 'mergeMapWithOverride'), (_, theirs) => theirs),
} satisfies Record<string, Filter>;

function pairs(value: unknown, filter: string): readonly { readonly key: string; readonly value: unknown }[] {
  return asList(value, filter).map((item) => {
    if (isMap(item) && typeof item['key'] === 'string') return { ...item, key: item['key'], value: item['value'] };
    throw new TypeError(`${filter}: needs the pairs of tree() or ls(), got ${shown(item)}`);
  });
}

type Nested = Map<string, unknown>;

function exploded(entries: readonly (readonly [string, unknown])[], filter: string): ValueMap {
  const root: Nested = new Map();
  for (const [path, value] of entries) {
    const segments = path.split('/');
    const last = segments.pop() ?? '';
    let nest = root;
    for (const segment of segments) {
      const below = nest.get(segment) ?? new Map();
      if (!(below instanceof Map))
        throw new TypeError(`${filter}: not a map: ${shown(path)}: ${shown(segment)} already has value ${shown(below)}`);
      nest.set(segment, below);
      nest = below;
    }
    if (last !== '') nest.set(last, value);
  }
  return plain(root);
}

function plain(nested: Nested): ValueMap {
  return Object.fromEntries([...nested].map(([key, value]) => [key, value instanceof Map ? plain(value) : value]));
}

function merged(base: ValueMap, piped: ValueMap, choose: (mine: unknown, theirs: unknown) => unknown): ValueMap {
  const result = new Map(Object.entries(base));
  for (const [key, theirs] of Object.entries(piped)) {
    const mine = result.get(key);
    const chosen = isMap(mine) && isMap(theirs) ? merged(mine, theirs, choose) : choose(mine, theirs);
    if (chosen !== undefined) result.set(key, chosen);
  }
  return asThese(Object.fromEntries(result), base, piped);
}

/** Go's idea of it: its zero values. */
function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) ? Object.keys(value).length === 0 : !value;
}

/** Adds to the list of a key. */
export function pushTo<Key, Item>(groups: Map<Key, Item[]>, key: Key, item: Item): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}

/** Text of a map's value, empty where there is none. */
export function memberText(value: unknown, name: string): string {
  return isMap(value) && Object.hasOwn(value, name) ? asText(value[name]) : '';
}
