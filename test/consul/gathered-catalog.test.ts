import { expect, test } from '@jest/globals';
import type { BlockingAnswer } from '../../consul/blocking-query.ts';
import { createGatheredCatalog, type GatheredCatalog, type ServiceAnswer } from '../../consul/gathered-catalog.ts';
import type { HealthEntry } from '../../consul/health-entry.ts';

const NOW = 1_700_000_000_000;

function answer<Body>(body: Body, rest: Partial<BlockingAnswer<Body>> = {}): BlockingAnswer<Body> {
  return { body, index: 10, knownLeader: true, filteredByAcl: false, ...rest };
}

function entry(id: string, rest: Partial<HealthEntry> = {}): HealthEntry {
  return {
    node: 'n1',
    nodeId: '',
    nodeAddress: '10.0.0.1',
    datacenter: 'dc1',
    nodeTaggedAddresses: {},
    nodeMeta: {},
    id,
    name: 'web',
    tags: ['haproxy'],
    address: '10.0.0.1',
    port: 80,
    meta: {},
    taggedAddresses: {},
    weights: { passing: 1, warning: 1 },
    checks: [],
    status: 'passing',
    ...rest,
  };
}

function instances(...entries: readonly HealthEntry[]): ServiceAnswer {
  return answer({ entries, unreadable: 0 });
}

/** A catalog whose list names these, whose keys and datacenters are known, and whose first update was taken. */
function known(services: Readonly<Record<string, ServiceAnswer>>): GatheredCatalog {
  const catalog = createGatheredCatalog(() => NOW);
  list(catalog, Object.keys(services));
  catalog.keysAnswered(answer([]));
  catalog.datacentersAnswered(['dc1']);
  for (const [name, its] of Object.entries(services)) catalog.serviceAnswered(name, its);
  catalog.take();
  return catalog;
}

function list(
  catalog: GatheredCatalog,
  wanted: readonly string[],
  rest: Partial<BlockingAnswer<ReadonlyMap<string, readonly string[]>>> = {},
) {
  const all = new Map([...wanted, 'consul'].map((name): [string, readonly string[]] => [name, []]));
  return catalog.listAnswered(answer<ReadonlyMap<string, readonly string[]>>(all, rest), new Set(wanted), []);
}

test('there is nothing to take before the list is known, and a part before all has answered', () => {
  const catalog = createGatheredCatalog(() => NOW);
  expect(catalog.isListed()).toBe(false);

  list(catalog, ['web', 'api']);
  catalog.serviceAnswered('web', instances(entry('a')));
  catalog.keysAnswered(answer([]));
  catalog.datacentersAnswered(['dc1']);
  expect([catalog.isListed(), catalog.isGathering()]).toEqual([true, true]);

  catalog.serviceAnswered('api', instances());
  expect(catalog.isGathering()).toBe(false);
});

test('a service that is new later is left out until it answers, and is waited for by nobody', () => {
  const catalog = known({ web: instances(entry('a')) });

  list(catalog, ['web', 'api']);

  expect(catalog.isGathering()).toBe(false);
  const update = catalog.take();
  expect([...update.catalog.services.keys()]).toEqual(['web']);
  expect(update.evidence.unanswered.services).toEqual(['api']);
});

test('after a time without services all of them are waited for again', () => {
  const catalog = known({ web: instances(entry('a')), api: instances(entry('b')) });
  list(catalog, []);
  expect(catalog.take().changed).toEqual(['api', 'web']);

  list(catalog, ['web', 'api']);
  catalog.serviceAnswered('web', instances(entry('a')));

  expect(catalog.isGathering()).toBe(true);
  catalog.serviceAnswered('api', instances(entry('b')));
  expect(catalog.isGathering()).toBe(false);
});

test('while the list fails, what services answer is a part of something larger', () => {
  const catalog = known({ web: instances(entry('a')) });

  catalog.listFailed();
  expect(catalog.isGathering()).toBe(true);

  expect(list(catalog, ['web'])).toBe(true);
  expect(catalog.isGathering()).toBe(false);
});

test('instances are sorted by node and ID, in byte order', () => {
  const catalog = known({
    web: instances(entry('b', { node: 'n2' }), entry('z'), entry('B', { node: 'n2' }), entry('a', { node: 'N9' })),
  });

  const { catalog: snapshot } = catalog.take();

  expect(snapshot.services.get('web')?.map(({ node, id }) => `${node}/${id}`)).toEqual(['N9/a', 'n1/z', 'n2/B', 'n2/b']);
});

test('a service that did not change keeps its list, and an instance that did not change itself', () => {
  const catalog = known({ web: instances(entry('a'), entry('b')), api: instances(entry('c')) });
  const before = catalog.take().catalog.services;

  expect(catalog.serviceAnswered('api', instances(entry('c')))).toBe(false);
  expect(catalog.serviceAnswered('web', instances(entry('a'), entry('b', { port: 81 })))).toBe(true);

  const { catalog: after, changed } = catalog.take();
  expect(changed).toEqual(['web']);
  expect(after.services.get('api')).toBe(before.get('api'));
  expect(after.services.get('web')).not.toBe(before.get('web'));
  expect(after.services.get('web')?.[0]).toBe(before.get('web')?.[0]);
});

const CHECK = { id: 'c', name: '', node: '', status: 'passing', notes: '', serviceId: '', serviceName: '', serviceTags: [] };

test.each<readonly [string, Partial<HealthEntry>, boolean]>([
  ['the output of a check', { checks: [{ ...CHECK, output: 'other' }] }, false],
  ['a weight', { weights: { passing: 9, warning: 1 } }, false],
  ['the meta of its node', { nodeMeta: { a: 'b' } }, false],
  ['the address', { address: '10.0.0.2' }, true],
  ['the port', { port: 81 }, true],
  ['a tag', { tags: ['haproxy', 'x'] }, true],
  ['the order of tags', { tags: ['x', 'haproxy'] }, true],
  ['meta', { meta: { a: 'b' } }, true],
  ['health', { status: 'critical' }, true],
  ['the loss of its node', { checks: [{ ...CHECK, output: 'one', id: 'serfHealth', status: 'critical' }] }, true],
])('%s that changes is seen: %#', (_, change, isSeen) => {
  const catalog = known({ web: instances(entry('a', { checks: [{ ...CHECK, output: 'one' }] })) });

  expect(catalog.serviceAnswered('web', instances(entry('a', { checks: [{ ...CHECK, output: 'one' }], ...change })))).toBe(isSeen);
  expect(catalog.take().changed).toEqual(isSeen ? ['web'] : []);
});

test('an update that nobody took is told by the next one', () => {
  const catalog = known({ web: instances(entry('a')), api: instances(entry('b')) });

  catalog.serviceAnswered('web', instances(entry('a', { port: 81 })));
  catalog.serviceAnswered('api', instances());

  const { changed, catalog: snapshot, evidence } = catalog.take();
  expect(changed).toEqual(['api', 'web']);
  expect([...snapshot.services.keys()]).toEqual(['web']);
  expect(evidence.emptyThoughListed).toEqual(['api']);
});

test('a service that is listed no more is gone, and a late answer of it counts for nothing', () => {
  const catalog = known({ web: instances(entry('a')) });

  expect(list(catalog, [])).toBe(true);
  expect(catalog.serviceAnswered('web', instances(entry('a')))).toBe(false);

  expect(catalog.take().catalog.services.size).toBe(0);
});

test('doubts are those of the last answers, by query', () => {
  const catalog = known({ web: instances(entry('a')), api: instances(entry('b')) });

  expect(catalog.serviceAnswered('web', { ...instances(entry('a')), knownLeader: false })).toBe(true);
  expect(catalog.keysAnswered(answer([], { filteredByAcl: true }))).toBe(true);
  expect(catalog.take().evidence).toMatchObject({ withoutLeader: ['web'], filteredByAcl: ['/v1/kv'], listed: 3 });

  expect(catalog.serviceAnswered('web', instances(entry('a')))).toBe(true);
  expect(catalog.take().evidence).toMatchObject({ withoutLeader: [], filteredByAcl: ['/v1/kv'] });
});

test('an index that went back stays known, with its time', () => {
  const catalog = known({ web: instances(entry('a')) });

  list(catalog, [], { index: 3, wentBackFrom: 500 });
  list(catalog, ['web'], { index: 4 });

  expect(catalog.take().evidence.wentBack).toEqual({ at: NOW, from: 500, to: 3, services: ['web'], keys: false });
});

test('after an index went back a service is doubtful until a snapshot has its answer of since then', () => {
  const catalog = known({ web: instances(entry('a')), shop: instances(entry('s')) });
  const doubtful = () => catalog.take().evidence.wentBack?.services;

  list(catalog, ['web', 'shop'], { index: 3, wentBackFrom: 500 });
  expect(doubtful()).toEqual(['shop', 'web']);
  catalog.serviceAnswered('web', instances(entry('a')));
  expect(doubtful()).toEqual(['shop', 'web']);
  catalog.serviceAnswered('web', instances());
  expect(doubtful()).toEqual(['shop']);
  catalog.serviceAnswered('shop', { ...instances(entry('s')), index: 2, wentBackFrom: 3 });
  expect(doubtful()).toEqual(['shop']);
  expect(doubtful()).toEqual([]);
});

test('keys are doubtful in the one snapshot that has them from an index that went back', () => {
  const catalog = known({});

  catalog.keysAnswered(answer([], { index: 3, wentBackFrom: 500 }));
  catalog.keysAnswered(answer([], { index: 4 }));

  expect(catalog.take().evidence.wentBack).toMatchObject({ services: [], keys: true });
  expect(catalog.take().evidence.wentBack).toMatchObject({ services: [], keys: false });
});

test('entries that cannot be read are a problem of their service, until they can', () => {
  const catalog = known({ web: instances(entry('a')) });

  expect(catalog.serviceAnswered('web', answer({ entries: [entry('a')], unreadable: 2 }))).toBe(true);
  expect(catalog.take().problems).toEqual([
    { subject: 'web', reason: '2 of Consul’s entries have no node, ID or name; they are left out' },
  ]);

  catalog.serviceAnswered('web', instances(entry('a')));
  expect(catalog.take().problems).toEqual([]);
});

test('keys keep their map while they are the same', () => {
  const catalog = known({});
  const key = { path: 'haproxy/a', value: '1', createIndex: 1, modifyIndex: 1, lockIndex: 0, flags: 0, session: '' };

  expect(catalog.keysAnswered(answer([key]))).toBe(true);
  const before = catalog.take().catalog.keys;
  expect(catalog.keysAnswered(answer([{ ...key, flags: 7 }]))).toBe(false);

  expect(catalog.take().catalog.keys).toBe(before);
  expect([...before]).toEqual([['haproxy/a', '1']]);
});
