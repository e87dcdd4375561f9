import { memberText, pushTo } from './maps.ts';
import { asList, asText, type Filter, isMap, shown } from './values.ts';

/** Grouping and searching lists. Pure. */
export const listFilters = {
  /** Services or instances by tag. */
  byTag: (value) => {
    const groups = new Map<string, unknown[]>();
    for (const item of asList(value, 'byTag')) for (const tag of tagsOf(item, 'byTag')) pushTo(groups, tag, item);
    return Object.fromEntries(groups);
  },
  /** Instances by port, in the order of the numbers. */
  byPort: (value) => {
    const groups = new Map<number, unknown[]>();
    for (const item of asList(value, 'byPort')) pushTo(groups, Number(memberText(item, 'port')), item);
    return new Map([...groups].sort(([a], [b]) => a - b));
  },
  /** Instances by the values of Meta keys: `byMeta("team,build|int")`; `|int` fills up with noughts to five digits. */
  byMeta: (value, keys) => {
    const wanted = asText(keys).split(',').map(metaKey);
    const groups = new Map<string, unknown[]>();
    for (const item of asList(value, 'byMeta')) pushTo(groups, wanted.map((key) => metaPart(item, key)).join('_'), item);
    return Object.fromEntries(groups);
  },
  withTag: (value, tag) => asList(value, 'withTag').filter((item) => tagsOf(item, 'withTag').includes(asText(tag))),
  contains: (value, item) => isIn(value, item),
  containsAll: (value, items) => asList(items, 'containsAll').every((item) => isIn(value, item)),
  containsAny: (value, items) => asList(items, 'containsAny').some((item) => isIn(value, item)),
  containsNone: (value, items) => !asList(items, 'containsNone').some((item) => isIn(value, item)),
  containsNotAll: (value, items) => !asList(items, 'containsNotAll').every((item) => isIn(value, item)),
} satisfies Record<string, Filter>;

function tagsOf(item: unknown, filter: string): readonly string[] {
  if (isMap(item) && Array.isArray(item['tags'])) return item['tags'].map(asText);
  throw new TypeError(`${filter}: needs a list of services or instances, got ${shown(item)}`);
}

function isIn(where: unknown, item: unknown): boolean {
  return Array.isArray(where) ? where.includes(item) : typeof where === 'string' && where.includes(asText(item));
}

interface MetaKey {
  readonly key: string;
  readonly isNumber: boolean;
}

function metaKey(text: string): MetaKey {
  const [key = '', type] = text.split('|');
  if (key === '' || (type !== undefined && type !== 'int')) throw new TypeError(`byMeta: must be KEY or KEY|int, got ${shown(text)}`);
  return { key, isNumber: type === 'int' };
}

/** A key that is absent or empty counts as 0, or as `_no_KEY_`; what is no letter, digit, `_` or `-` becomes `_`. */
function metaPart(item: unknown, { key, isNumber }: MetaKey): string {
  const text = memberText(isMap(item) ? item['meta'] : undefined, key);
  if (!isNumber) return (text || `_no_${key}_`).replace(/[^a-zA-Z0-9_-]/g, '_');
  if (!/^[+-]?\d*$/.test(text)) throw new TypeError(`byMeta: ${key} is no whole number: ${shown(text)}`);
  return String(Number(text)).padStart(5, '0');
}
