import { shownValue } from './problem.ts';
import { MOST_WEIGHT, type Weight, weight } from './weight.ts';

/** By variant, its share of a service's requests: a number that counts against the other variants', percent as a rule. */
export type WeightShares = ReadonlyMap<string, number>;

/** What a share counts against when not every variant has one. */
const WHOLE = 100;
const MOST_SHARE = 1_000_000;

/** Reads the KV value `haproxy/<service>/weights`: a JSON object such as `{"stable":90,"canary":10}`. The reason why it is none, otherwise. */
export function parseWeightShares(text: string): WeightShares | string {
  const reason = `it is a JSON object of a variant’s name to its share, a number from 0 to ${MOST_SHARE}, such as {"stable":90,"canary":10}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return reason;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return reason;
  const entries = Object.entries(parsed);
  const wrong = entries.find(([, share]) => typeof share !== 'number' || !(share >= 0 && share <= MOST_SHARE));
  if (wrong !== undefined) return `${shownValue(wrong[0])}: ${reason}`;
  return new Map(entries as [string, number][]);
}

/** The share that is meant for a variant: by its whole name, or by what follows the last `/` in it (`/shop/canary` is `canary`). */
export function shareOf(shares: WeightShares, variant: string): number | undefined {
  return shares.get(variant) ?? shares.get(variant.slice(variant.lastIndexOf('/') + 1));
}

/** An instance as the shares see it. */
export interface Shared {
  readonly variant: string;
  /** By its tags. */
  readonly weight: Weight;
}

/**
 * The weights that give each variant its share, however many instances it has: in the order of `instances`.
 * Variants without a share have what is left of 100, split by the weights of their tags. A share above 0 is never rounded down to nothing; but
 * of many instances that share little some have weight 0, as weights are whole numbers.
 */
export function weightsByShares(instances: readonly Shared[], shares: WeightShares): readonly Weight[] {
  const count = new Map<string, number>();
  for (const { variant } of instances) count.set(variant, (count.get(variant) ?? 0) + 1);
  const named = [...count.keys()].reduce((sum, variant) => sum + (shareOf(shares, variant) ?? 0), 0);
  const left = Math.max(0, WHOLE - named);
  const unnamedWeight = instances.reduce((sum, { variant, weight: own }) => (shareOf(shares, variant) === undefined ? sum + own : sum), 0);
  const exact = instances.map(({ variant, weight: own }) => {
    const share = shareOf(shares, variant);
    return share === undefined ? (left * own) / Math.max(1, unnamedWeight) : share / (count.get(variant) ?? 1);
  });
  const most = Math.max(...exact);
  const weights: Weight[] = exact.map(() => weight(0));
  for (const group of groupsBy(instances, ({ variant }) => (shareOf(shares, variant) === undefined ? '' : `=${variant}`))) {
    const scaled = group.map((i) => (most === 0 ? 0 : ((exact[i] ?? 0) / most) * MOST_WEIGHT));
    for (const [at, value] of roundedTogether(scaled).entries()) weights[group[at] ?? 0] = weight(value);
  }
  return weights;
}

/** The places of those that have the same key, in their order. */
function groupsBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Iterable<readonly number[]> {
  const groups = new Map<string, number[]>();
  for (const [i, item] of items.entries()) {
    const key = keyOf(item);
    const group = groups.get(key) ?? [];
    group.push(i);
    groups.set(key, group);
  }
  return groups.values();
}

/** Whole numbers with the rounded sum of `values`, at least 1 unless all are 0: the largest remainders are rounded up, of equal ones the first. */
function roundedTogether(values: readonly number[]): readonly number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  const floors = values.map(Math.floor);
  const left = Math.max(sum > 0 ? 1 : 0, Math.round(sum)) - floors.reduce((total, floor) => total + floor, 0);
  const remainders = values
    .map((value, i) => ({ i, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  const up = new Set(remainders.slice(0, left).map(({ i }) => i));
  return floors.map((floor, i) => (up.has(i) ? floor + 1 : floor));
}
