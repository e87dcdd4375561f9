import { NO_MAP } from '../../../consul/json-fields.ts';
import { byteOrder } from '../../../model/compare.ts';
import { memoryStep } from '../memory-limit.ts';
import { asThese } from './go-floats.ts';

/**
 * The value with the keys of all its maps in byte order, those that look like numbers too, and nothing but plain data in it. What Consul never
 * had a map for is `noMap`. Pure.
 */
export function sortedValue(value: unknown, noMap: object | null = NO_MAP): unknown {
  memoryStep();
  if (Array.isArray(value))
    return asThese(
      value.map((item) => sortedValue(item, noMap)),
      value,
    );
  if (value instanceof String) return value.toString();
  if (value === NO_MAP) return noMap;
  if (value === undefined || typeof value === 'function') return null;
  if (typeof value !== 'object' || value === null) return value;
  const entries: [string, unknown][] = value instanceof Map ? [...value].map(([key, item]) => [String(key), item]) : Object.entries(value);
  const plain = entries.filter(([, item]) => item !== undefined && typeof item !== 'function');
  return asThese(inKeyOrder(plain.map(([key, item]) => [key, sortedValue(item, noMap)])), value);
}

/** A map that is walked in the byte order of its keys. JavaScript would put keys that look like numbers first. */
export function inKeyOrder(entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, unknown>> {
  const sorted = [...entries].sort(([a], [b]) => byteOrder(a, b));
  const map = Object.fromEntries(sorted);
  const keys = sorted.map(([key]) => key);
  return keys.some((key) => /^\d+$/.test(key)) ? new Proxy(map, { ownKeys: () => keys }) : map;
}
