import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Catalog } from '../../model/catalog.ts';
import { type Guarded, guard, type Report } from '../../model/guard.ts';
import type { Instance } from '../../model/instance.ts';
import { aCatalog, asWatched } from './a-catalog.ts';
import { anySteps } from './any-catalogs.ts';

const HOLD_MS = 1_000;

function instance(service: string, id: string, more: Partial<Instance> = {}): Instance {
  return {
    service,
    id,
    node: 'n1',
    address: '10.0.0.1',
    port: 80,
    tags: ['haproxy'],
    meta: {},
    health: 'passing',
    nodeLost: false,
    ...more,
  };
}

function catalog(...all: readonly Instance[]): Catalog {
  const services = new Map<string, Instance[]>();
  for (const one of all) services.set(one.service, [...(services.get(one.service) ?? []), one]);
  return { services, datacenters: ['dc1'], keys: new Map() };
}

function believed(...all: readonly Instance[]): Guarded {
  return { catalog: catalog(...all), holds: new Map() };
}

function report(told: Catalog, doubt?: string, doubtOf: Report['doubtOf'] = () => undefined, doubtOfKeys?: string): Report {
  return { catalog: told, doubt, doubtOf, doubtOfKeys };
}

function ids({ catalog: { services } }: Guarded): string[] {
  return [...services.values()].flatMap((list) => list.map(({ id }) => id)).sort();
}

const a = instance('web', 'a');
const b = instance('web', 'b');
const shop = instance('shop', 's');
const lostA = instance('web', 'a', { health: 'critical', nodeLost: true });
const lostB = instance('web', 'b', { health: 'critical', nodeLost: true });

describe('what is no outage is believed at once', () => {
  test.each([
    ['a deregistered instance', believed(a, b), catalog(b), ['b']],
    ['the last instance of one of several services', believed(a, shop), catalog(shop), ['s']],
    ['the last instance of the only service', believed(a), catalog(), []],
    ['a failed check of the last instance', believed(a), catalog(instance('web', 'a', { health: 'critical' })), ['a']],
    ['a lost node while others of the service serve', believed(a, b), catalog(lostA, b), ['a', 'b']],
  ])('%s', (_what, before, told, expected) => {
    const after = guard(before, report(told), 0, HOLD_MS);

    expect(ids(after)).toEqual(expected);
    expect(after.holds.size).toBe(0);
  });

  test('a lost instance beside one that serves is told as Consul tells it', () => {
    const after = guard(believed(a, b), report(catalog(lostA, b)), 0, HOLD_MS);

    expect(after.catalog.services.get('web')).toEqual([lostA, b]);
  });
});

describe('what looks like an outage is held', () => {
  test.each([
    ['instances missing from a doubtful answer', believed(a, b), report(catalog(b), 'the index went back'), ['a', 'b']],
    ['services missing from a doubtful answer', believed(a, shop), report(catalog(shop), 'no leader'), ['a', 's']],
    [
      'instances missing from a doubtful answer of their service alone',
      believed(a, b),
      report(catalog(b), undefined, (service) => (service === 'web' ? 'filtered' : undefined)),
      ['a', 'b'],
    ],
    ['every service of several at once', believed(a, shop), report(catalog()), ['a', 's']],
  ])('%s', (_what, before, told, expected) => {
    const after = guard(before, told, 0, HOLD_MS);

    expect(ids(after)).toEqual(expected);
    expect(after.holds.size).toBeGreaterThan(0);
  });

  test('the last instances of a service go on as they were when their node is lost', () => {
    const after = guard(believed(a, b), report(catalog(lostA, lostB)), 0, HOLD_MS);

    expect(after.catalog.services.get('web')).toEqual([a, b]);
    expect(after.holds.get('web')?.reason).toContain('node');
  });
});

describe('a hold', () => {
  const held = guard(believed(a, b), report(catalog(b), 'the index went back'), 0, HOLD_MS);

  test('says since when and until when', () => {
    expect(held.holds.get('web')).toMatchObject({ service: 'web', reason: 'the index went back', since: 0, until: HOLD_MS });
  });

  test('stays when the next answer is not doubtful any more', () => {
    expect(ids(guard(held, report(catalog(b)), 10, HOLD_MS))).toEqual(['a', 'b']);
  });

  test('is over after its time, and is not made again', () => {
    const over = guard(held, report(catalog(b)), HOLD_MS, HOLD_MS);
    const later = guard(over, report(catalog(b)), HOLD_MS + 1, HOLD_MS);

    expect([ids(over), over.holds.size]).toEqual([['b'], 0]);
    expect([ids(later), later.holds.size]).toEqual([['b'], 0]);
  });

  test('says nothing of the last service that is told, when what else was there is held', () => {
    const wiped = guard(believed(a, shop), report(catalog()), 0, HOLD_MS);
    const back = guard(wiped, report(catalog(shop)), 10, HOLD_MS);

    const gone = guard(back, report(catalog()), 20, HOLD_MS);

    expect(ids(gone)).toEqual(['a']);
    expect([...gone.holds.keys()]).toEqual(['web']);
  });

  test('is over when its instance is registered again; the next absence is believed', () => {
    const healed = guard(held, report(catalog(a, b)), 10, HOLD_MS);
    const gone = guard(healed, report(catalog(b)), 20, HOLD_MS);

    expect(healed.holds.size).toBe(0);
    expect(ids(gone)).toEqual(['b']);
  });

  test('of a lost node is over when its service has an instance that serves', () => {
    const lost = guard(believed(a), report(catalog(lostA)), 0, HOLD_MS);
    const replaced = guard(lost, report(catalog(lostA, b)), 10, HOLD_MS);

    expect(replaced.holds.size).toBe(0);
    expect(replaced.catalog.services.get('web')).toEqual([lostA, b]);
  });

  test('never holds back what is new', () => {
    const c = instance('web', 'c');

    expect(ids(guard(held, report(catalog(b, c, shop)), 10, HOLD_MS))).toEqual(['a', 'b', 'c', 's']);
  });
});

test('a service that did not change keeps its list', () => {
  const before = believed(a, shop);
  const same = before.catalog.services.get('shop') ?? [];
  const after = guard(before, report({ ...catalog(a), services: new Map([['shop', same]]) }, 'doubt'), 0, HOLD_MS);

  expect(after.catalog.services.get('shop')).toBe(same);
});

describe('keys', () => {
  const withKeys = (keys: Record<string, string>): Catalog => ({ ...catalog(a), keys: new Map(Object.entries(keys)) });
  const before: Guarded = { catalog: withKeys({ 'haproxy/web/auth': 'bob', 'haproxy/web/maxconn': '7' }), holds: new Map() };
  const keysOf = ({ catalog: { keys } }: Guarded) => Object.fromEntries(keys);

  test('that are taken away are gone; a doubtful answer takes none away, and changes those that it has', () => {
    const told = withKeys({ 'haproxy/web/maxconn': '8' });

    const believed = guard(before, report(told), 0, HOLD_MS);
    const held = guard(before, report(told, undefined, undefined, 'the index went back'), 0, HOLD_MS);

    expect(keysOf(believed)).toEqual({ 'haproxy/web/maxconn': '8' });
    expect(believed.heldKeys).toBeUndefined();
    expect(keysOf(held)).toEqual({ 'haproxy/web/auth': 'bob', 'haproxy/web/maxconn': '8' });
    expect(held.heldKeys).toMatchObject({ reason: 'the index went back', until: HOLD_MS });
  });

  test('that are held are so until they are set again, or the time is over', () => {
    const held = guard(before, report(withKeys({}), undefined, undefined, 'no leader'), 0, HOLD_MS);

    const later = guard(held, report(withKeys({ 'haproxy/web/auth': 'eve' })), 10, HOLD_MS);
    const setAgain = guard(later, report(withKeys({ 'haproxy/web/auth': 'eve', 'haproxy/web/maxconn': '1' })), 20, HOLD_MS);
    const over = guard(later, report(withKeys({ 'haproxy/web/auth': 'eve' })), HOLD_MS, HOLD_MS);

    expect(keysOf(later)).toEqual({ 'haproxy/web/auth': 'eve', 'haproxy/web/maxconn': '7' });
    expect(keysOf(setAgain)).toEqual({ 'haproxy/web/auth': 'eve', 'haproxy/web/maxconn': '1' });
    expect(setAgain.heldKeys).toBeUndefined();
    expect(keysOf(over)).toEqual({ 'haproxy/web/auth': 'eve' });
  });
});

test('a guard that is told of a few changes holds what one does that looks at everything', () => {
  const doubts = fc.array(fc.constantFrom(undefined, undefined, undefined, 'without a leader'), { minLength: 13, maxLength: 13 });
  fc.assert(
    fc.property(anySteps, doubts, (catalogs, doubt) => {
      let told: Catalog = aCatalog([]);
      let [few, all]: [Guarded, Guarded] = [believed(), believed()];
      for (const [i, next] of catalogs.entries()) {
        told = asWatched(told, next);
        few = guard(few, report(told, doubt[i]), i * 300, HOLD_MS);
        all = guard(all, report({ ...told, services: new Map(told.services) }, doubt[i]), i * 300, HOLD_MS);
        expect(shown(few)).toEqual(shown(all));
      }
    }),
    { numRuns: 300 },
  );
});

/** In the order of their names: which of two holds came first tells nothing. */
function shown({ catalog: { services }, holds }: Guarded) {
  return {
    services: new Map(services),
    holds: [...holds]
      .map(([name, { instances, ...hold }]) => ({ name, ...hold, instances: [...instances.keys()] }))
      .sort((one, other) => (one.name < other.name ? -1 : 1)),
  };
}
