import { createHash } from 'node:crypto';
import type { EdgeGroup, EdgeInstance, EdgePlan } from '../../model/edge.ts';
import { baseOf, changedKeys } from '../../model/revised-map.ts';

/** How many places the instances of a variant share, for clients that come back to it: each by its weight. */
export const VARIANT_SLOTS = 32;

/**
 * What the map of variants holds for the groups whose clients keep their variant:
 *
 *   GROUP/TOKEN/SLOT   the server that a client of the variant is sent to, for each of the slots
 *   GROUP/SERVER       the token of the variant that a server is of
 *
 * Pure; the same object for the same groups, and while those that differ keep no variant.
 */
export function variantKeys(groups: EdgePlan['groups']): ReadonlyMap<string, string> {
  const before = known.get(baseOf(groups));
  const changed = before && changedKeys(before.groups, groups);
  const isSame = changed?.every(
    (key) => ![before?.groups.get(key), groups.get(key)].some((group) => group !== undefined && isByVariant(group)),
  );
  const keys =
    before !== undefined && isSame
      ? before.keys
      : new Map([...groups.values()].flatMap((group) => (isByVariant(group) ? keysOfGroup(group) : [])));
  known.set(baseOf(groups), { groups, keys });
  return keys;
}

/** By what the groups were made of. */
const known = new WeakMap<EdgePlan['groups'], { readonly groups: EdgePlan['groups']; readonly keys: ReadonlyMap<string, string> }>();

/** The group that a key is of. No name of a group holds a slash. */
export function groupOfKey(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** What stands for a variant in a cookie: its name is nobody's business. */
export function variantToken(variant: string): string {
  return createHash('sha256').update(variant).digest('hex').slice(0, 12);
}

export function isByVariant({ sticky, mode }: Pick<EdgeGroup, 'sticky' | 'mode'>): boolean {
  return sticky === 'variant' && mode === 'http';
}

function keysOfGroup({ key, instances }: EdgeGroup): [string, string][] {
  const byToken = new Map<string, EdgeInstance[]>();
  for (const instance of instances) {
    const token = variantToken(instance.variant);
    byToken.set(token, [...(byToken.get(token) ?? []), instance]);
  }
  return [...byToken].flatMap(([token, ofVariant]) => [
    ...slots(ofVariant).map(({ name }, slot): [string, string] => [`${key}/${token}/${slot}`, name]),
    ...ofVariant.map(({ name }): [string, string] => [`${key}/${name}`, token]),
  ]);
}

/** An instance for each slot, as often as its share of the weights; of instances without any weight each counts the same. */
function slots(instances: readonly EdgeInstance[]): EdgeInstance[] {
  const primaries = instances.filter(({ backup }) => !backup);
  const used = primaries.length > 0 ? primaries : instances;
  const total = used.reduce((sum, { weight }) => sum + weight, 0);
  const shareOf = ({ weight }: EdgeInstance) => (total === 0 ? 1 / used.length : weight / total);
  const filled: EdgeInstance[] = [];
  let end = 0;
  for (const instance of used) {
    end += shareOf(instance) * VARIANT_SLOTS;
    while (filled.length < Math.round(end)) filled.push(instance);
  }
  return filled;
}
