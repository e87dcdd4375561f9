import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Catalog } from '../../model/catalog.ts';
import type { Instance } from '../../model/instance.ts';
import { createPlanner, type PlannedEdge } from '../../model/plan-edge.ts';
import { changedKeys } from '../../model/revised-map.ts';
import { aCatalog, anInstance, asWatched, POLICY } from './a-catalog.ts';
import { anyInstances, anySteps } from './any-catalogs.ts';

function plan(catalog: Catalog): PlannedEdge {
  return createPlanner()(catalog, POLICY, new Map());
}

/** Everything of it as text, in its order. */
function asText({ plan: { groups, hosts, paths, listeners }, problems, lastGood, hostNames }: PlannedEdge): string {
  return JSON.stringify({
    groups: [...groups],
    hosts: [...hosts],
    paths: [...paths],
    listeners: [...listeners],
    problems,
    lastGood: [...lastGood],
    hostNames,
  });
}

test('the same data in any order gives the same plan, the same problems, in the same order', () => {
  const shuffled = anyInstances.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
  fc.assert(
    fc.property(shuffled, ([list, other]) => {
      expect(asText(plan(aCatalog(other)))).toBe(asText(plan(aCatalog(list))));
    }),
    { numRuns: 300 },
  );
});

test('a planner that remembers gives what one gives that does not', () => {
  fc.assert(
    fc.property(anySteps, (catalogs) => {
      const remembering = createPlanner();
      let lastGood: PlannedEdge['lastGood'] = new Map();
      let before: Catalog = aCatalog([]);
      for (const wanted of catalogs) {
        const catalog = asWatched(before, wanted);
        const planned = remembering(catalog, POLICY, lastGood);
        expect(asText(planned)).toBe(asText(createPlanner()(wanted, POLICY, lastGood)));
        [lastGood, before] = [planned.lastGood, catalog];
      }
    }),
    { numRuns: 300 },
  );
});

test('a change of instances gives the plan of before with other groups, whose rules are the same objects', () => {
  const planner = createPlanner();
  const before = aCatalog([anInstance({}), anInstance({ service: 'shop' })]);
  const first = planner(before, POLICY, new Map());

  const next = planner(asWatched(before, aCatalog([anInstance({}), anInstance({ service: 'shop', port: 9 })])), POLICY, first.lastGood);

  expect(changedKeys(first.plan.groups, next.plan.groups)).toEqual(['shop']);
  expect(next.plan.hosts).toBe(first.plan.hosts);
  expect(next.problems).toBe(first.problems);
});

test('every rule leads to a group that is there, and every port is one that may be had', () => {
  fc.assert(
    fc.property(anyInstances, (list) => {
      const { groups, hosts, paths, listeners } = plan(aCatalog(list)).plan;
      for (const key of [...hosts.values(), ...paths.values(), ...listeners.values()]) expect(groups.has(key)).toBe(true);
      for (const port of listeners.keys()) expect(POLICY.refusedPorts.has(port)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('a service that did not change keeps its groups, the same objects', () => {
  const planner = createPlanner();
  const [web, shop] = [[anInstance({})], [anInstance({ service: 'shop' })]];
  const catalog = (lists: [string, Instance[]][]): Catalog => ({ services: new Map(lists), datacenters: [], keys: new Map() });
  const first = planner(
    catalog([
      ['web', web],
      ['shop', shop],
    ]),
    POLICY,
    new Map(),
  );

  const next = planner(
    catalog([
      ['web', web],
      ['shop', [anInstance({ service: 'shop', port: 9 })]],
    ]),
    POLICY,
    first.lastGood,
  );

  expect(next.plan.groups.get('web')).toBe(first.plan.groups.get('web'));
  expect(next.plan.groups.get('shop')).not.toEqual(first.plan.groups.get('shop'));
});

test('last good rules are forgotten with the last instance', () => {
  const planner = createPlanner();
  const good = planner(aCatalog([anInstance({ tags: ['haproxy_route=/works'] })]), POLICY, new Map());
  const broken = aCatalog([anInstance({ tags: ['haproxy_route=broken'] })]);

  const stumbled = planner(broken, POLICY, good.lastGood);
  const gone = planner(aCatalog([]), POLICY, stumbled.lastGood);
  const back = planner(broken, POLICY, gone.lastGood);

  expect([...stumbled.plan.paths]).toEqual([['/works', 'web']]);
  expect([...back.plan.paths]).toEqual([]);
  expect(back.plan.groups.has('web')).toBe(true);
});

test('the rules stay while any instance is registered, healthy or not', () => {
  const { plan: sick } = plan(aCatalog([anInstance({ health: 'critical', tags: ['haproxy_route=/p', 'haproxy_tcp=9000'] })]));

  expect([...sick.paths.keys()]).toEqual(['/p']);
  expect([...sick.listeners.keys()]).toEqual([9000]);
  expect(sick.groups.get('web')?.instances).toEqual([]);
});

test('names that differ by case claim the same hosts and are two groups', () => {
  const { plan: both, problems } = plan(aCatalog([anInstance({ service: 'web' }), anInstance({ service: 'Web' })]));

  expect([...both.groups.keys()]).toEqual(['Web', 'web']);
  expect([...new Set(both.hosts.values())]).toEqual(['Web']);
  expect(problems).toMatchObject([{ subject: 'web', related: ['Web'] }]);
});
