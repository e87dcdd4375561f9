import { expect, test } from '@jest/globals';
import type { EdgeInstance } from '../../../model/edge.ts';
import { weight } from '../../../model/weight.ts';
import { groupOfKey, VARIANT_SLOTS, variantKeys, variantToken } from '../../../templater/haproxy/variant-keys.ts';
import { edgeGroup, edgeInstance } from './a-plan.ts';

const [STABLE, CANARY] = [variantToken('stable'), variantToken('canary')];
const of = (name: string, variant: string, given: Partial<EdgeInstance> = {}) => edgeInstance(name, { variant, ...given });

/** How often each server stands in the slots of a variant. */
function shares(instances: readonly EdgeInstance[], token: string): Record<string, number> {
  const keys = variantKeys(new Map([['web', edgeGroup('web', instances, { sticky: 'variant' })]]));
  const count: Record<string, number> = {};
  for (let slot = 0; slot < VARIANT_SLOTS; slot += 1) {
    const name = keys.get(`web/${token}/${slot}`) ?? 'nobody';
    count[name] = (count[name] ?? 0) + 1;
  }
  return count;
}

test.each<[title: string, instances: EdgeInstance[], canary: Record<string, number>]>([
  ['one has all', [of('a', 'stable'), of('b', 'canary')], { b: 32 }],
  ['two of one weight', [of('a', 'canary'), of('b', 'canary')], { a: 16, b: 16 }],
  ['by weight', [of('a', 'canary', { weight: weight(30) }), of('b', 'canary', { weight: weight(10) })], { a: 24, b: 8 }],
  ['three', [of('a', 'canary'), of('b', 'canary'), of('c', 'canary')], { a: 11, b: 10, c: 11 }],
  ['one of no weight gets none beside others', [of('a', 'canary', { weight: weight(0) }), of('b', 'canary')], { b: 32 }],
  [
    'without any weight all are the same: known clients stay',
    [of('a', 'canary', { weight: weight(0) }), of('b', 'canary', { weight: weight(0) })],
    { a: 16, b: 16 },
  ],
  ['a backup gets none beside others', [of('a', 'canary', { backup: true }), of('b', 'canary')], { b: 32 }],
  ['of backups alone all', [of('a', 'canary', { backup: true })], { a: 32 }],
])('the slots of a variant: %s', (_, instances, canary) => {
  expect(shares(instances, CANARY)).toEqual(canary);
});

test('each server leads back to its variant; groups that keep no variant have no keys', () => {
  const instances = [of('a', 'stable'), of('b', 'canary')];
  const groups = [
    edgeGroup('web', instances, { sticky: 'variant' }),
    edgeGroup('web', instances, { sticky: 'variant', mode: 'tcp' }),
    edgeGroup('shop', instances, { sticky: 'instance' }),
    edgeGroup('cart', instances),
  ];
  const keys = variantKeys(new Map(groups.map((group) => [group.key, group])));

  expect([keys.get('web/a'), keys.get('web/b'), keys.size]).toEqual([STABLE, CANARY, 2 * VARIANT_SLOTS + 2]);
  expect(new Set([...keys.keys()].map(groupOfKey))).toEqual(new Set(['web']));
});
