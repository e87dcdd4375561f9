import { describe, expect, test } from '@jest/globals';
import type { CatalogUpdate, Evidence } from '../../consul/catalog-update.ts';
import { createLog } from '../../daemon/log.ts';
import type { Catalog } from '../../model/catalog.ts';
import { createBelievedCatalog } from '../../templater/believed-catalog.ts';
import { aCatalog, anInstance } from '../model/a-catalog.ts';

const SURE: Evidence = {
  listed: 5,
  withoutLeader: [],
  filteredByAcl: [],
  emptyThoughListed: [],
  unanswered: { services: [], keys: false, datacenters: false },
};
const two = aCatalog([anInstance({ service: 'web' }), anInstance({ service: 'shop' })]);
const one = aCatalog([anInstance({ service: 'web' })]);

function update(catalog: Catalog, evidence: Partial<Evidence> = {}): CatalogUpdate {
  return { catalog, receivedAt: 0, changed: [], problems: [], evidence: { ...SURE, ...evidence } };
}

function world({ last, now = () => 1_000_000 }: { last?: Catalog; now?: () => number } = {}) {
  const seen: string[][] = [];
  const believed = createBelievedCatalog({
    last,
    holdMs: 60_000,
    believe: ({ services }) => seen.push([...services.keys()].sort()),
    log: createLog('test', 'silent'),
    now,
  });
  return { believed, latest: () => seen.at(-1) };
}

describe('a service that is missing is served on when', () => {
  test.each<[string, Partial<Evidence>]>([
    ['the index went back since it was answered last', { wentBack: { at: 999_000, from: 20, to: 10, services: ['shop'], keys: false } }],
    ['Consul has no leader', { withoutLeader: ['/v1/catalog/services'] }],
    ['Consul lists nothing, not even itself', { listed: 0 }],
    ['Consul has not answered for it yet', { unanswered: { services: ['shop'], keys: false, datacenters: false } }],
    ['the token sees less since now', { filteredByAcl: ['/v1/catalog/services'] }],
  ])('%s', (_why, evidence) => {
    const { believed, latest } = world();

    believed.told(update(two));
    believed.told(update(one, evidence));

    expect(latest()).toEqual(['shop', 'web']);
    expect(believed.holds()).toMatchObject([{ service: 'shop', instances: 1 }]);
  });
});

describe('a service that is missing is gone when', () => {
  test.each<[string, Partial<Evidence>]>([
    ['nothing speaks against it', {}],
    ['it was answered since the index went back', { wentBack: { at: 999_000, from: 20, to: 10, services: ['web'], keys: true } }],
  ])('%s', (_why, evidence) => {
    const { believed, latest } = world();

    believed.told(update(two));
    believed.told(update(one, evidence));

    expect(latest()).toEqual(['web']);
  });

  test('the token never saw the whole: that is how it is, and no outage', () => {
    const { believed, latest } = world();
    const filteredByAcl = ['/v1/catalog/services'];

    believed.told(update(two, { filteredByAcl }));
    believed.told(update(one, { filteredByAcl }));

    expect(latest()).toEqual(['web']);
  });
});

test('what was believed when the program last ran is guarded as well', () => {
  const { believed, latest } = world({ last: two });

  believed.told(update(aCatalog([])));

  expect(latest()).toEqual(['shop', 'web']);
});

test('a release believes Consul again, for one service or for all', () => {
  const { believed, latest } = world();
  believed.told(update(two));
  believed.told(update(aCatalog([]), { listed: 0 }));

  expect(believed.release('shop')).toEqual(['shop']);
  expect(latest()).toEqual(['web']);
  expect(believed.release()).toEqual(['web']);
  expect(latest()).toEqual([]);
  expect(believed.holds()).toEqual([]);
  expect(believed.release()).toEqual([]);
});

describe('keys', () => {
  const withKeys = (keys: Record<string, string>) => aCatalog([anInstance({ service: 'web' })], { keys: new Map(Object.entries(keys)) });
  const auth = { 'haproxy/web/auth': 'bob' };

  test('that Consul lost are held, told as a hold, and released', () => {
    const seen: Catalog[] = [];
    const believed = createBelievedCatalog({
      last: undefined,
      holdMs: 60_000,
      believe: (catalog) => seen.push(catalog),
      log: createLog('test', 'silent'),
    });
    const latest = () => Object.fromEntries(seen.at(-1)?.keys ?? []);

    believed.told(update(withKeys(auth)));
    believed.told(update(withKeys({}), { wentBack: { at: 0, from: 20, to: 10, services: [], keys: true } }));
    believed.told(update(withKeys({})));

    expect(latest()).toEqual(auth);
    expect(believed.holds()).toMatchObject([{ service: 'haproxy/*', reason: expect.stringContaining('went back'), instances: 1 }]);
    expect(believed.release()).toEqual(['haproxy/*']);
    expect(latest()).toEqual({});
    expect(believed.holds()).toEqual([]);
  });

  test('that Consul has not answered for are those of the last run', () => {
    const seen: Catalog[] = [];
    const believed = createBelievedCatalog({
      last: withKeys(auth),
      holdMs: 60_000,
      believe: (catalog) => seen.push(catalog),
      log: createLog('test', 'silent'),
    });

    believed.told(update(withKeys({}), { unanswered: { services: [], keys: true, datacenters: false } }));

    expect(Object.fromEntries(seen.at(-1)?.keys ?? [])).toEqual(auth);
    expect(believed.holds()).toEqual([]);
  });
});
