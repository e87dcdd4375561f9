import { createHash } from 'node:crypto';
import type { Check } from './registration.ts';

/** Equal for equal definitions; the status a check starts with is no part of it. */
export function digestOf({ id, name, probe, deregisterAfter }: Check): string {
  return createHash('sha256').update(canonical({ id, name, probe, deregisterAfter })).digest('hex').slice(0, 12);
}

/** Equal for equal values, whatever the order of their keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
