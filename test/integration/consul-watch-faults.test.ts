import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createTransport, type WatchTransport } from '../../consul/transport.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { type ConsulProxy, type Fault, startConsulProxy } from '../harness/consul-proxy.ts';
import { until } from '../harness/until.ts';
import { startWatching, type Watching } from '../harness/watching.ts';

jest.setTimeout(60_000);

let consul: TestConsul;
let proxy: ConsulProxy;
beforeEach(async () => {
  consul = await startConsul();
  proxy = await startConsulProxy(consul.httpPort);
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await consul[Symbol.asyncDispose]();
});

function throughProxy(): WatchTransport & AsyncDisposable {
  return createTransport({ address: { kind: 'tcp', tls: false, host: '127.0.0.1', port: proxy.port } });
}

async function registerWeb(port: number): Promise<void> {
  for (const ID of ['a', 'b']) await consul.ask('PUT', '/v1/agent/service/register', { ID, Name: 'web', Tags: ['haproxy'], Port: port });
}

async function seesPort(watching: Watching, port: number, budgetMs = 15_000): Promise<void> {
  const isThere = ({ port: own }: { readonly port: number }) => own === port;
  await watching.sees(`web on ${port}`, ({ catalog }) => (catalog.services.get('web') ?? []).filter(isThere).length === 2, budgetMs);
}

async function listIndex(): Promise<number> {
  const { headers } = await fetch(`${consul.url}/v1/catalog/services`);
  return Number(headers.get('x-consul-index'));
}

/** Updates in which the service that was there all the time is not whole. */
function broken(watching: Watching): readonly unknown[] {
  return watching.updates.filter(({ catalog }) => catalog.services.get('web')?.length !== 2);
}

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['an error', { kind: 'answer', status: 500, body: 'No cluster leader', headers: { 'x-consul-index': '7' } }],
  ['a refusal', { kind: 'answer', status: 403, body: 'Permission denied' }],
  ['garbage', { kind: 'answer', status: 200, body: '<html>busy</html>', headers: { 'x-consul-index': '9999999' } }],
  ['an empty answer', { kind: 'answer', status: 200, body: '' }],
  ['an empty list of no Consul', { kind: 'answer', status: 200, body: '[]' }],
  ['an answer that is cut in the middle', { kind: 'cut' }],
  ['a reset', { kind: 'reset' }],
];

describe.each([
  ['a query a service', throughProxy],
  ['triggers', () => ({ ...throughProxy(), capacity: () => 0 })],
])('%s', (_, open) => {
  test.each(FAULTS)('%s for every query: the last snapshot stays, status says so, and the watch recovers by itself', async (__, fault) => {
    await registerWeb(80);
    await using transport = open();
    await using watching = startWatching(transport);
    await seesPort(watching, 80);

    proxy.set(fault);
    const failing = await until(() => watching.status().failing.find(({ failures }) => failures > 1), 10_000, 'status tells of it');
    await registerWeb(81);
    const during = watching.updates.length;
    proxy.set(undefined);

    await seesPort(watching, 81);
    await until(() => watching.status().failing.length === 0, 15_000, 'nothing fails any more');
    expect(failing.error).not.toBe('');
    expect(watching.updates.slice(0, during).at(-1)?.catalog.services.get('web')?.[0]?.port).toBe(80);
    expect(broken(watching)).toEqual([]);
  });

  test('one service that cannot be had holds up no other', async () => {
    await registerWeb(80);
    await using transport = open();
    await using watching = startWatching(transport, { gatherMs: 300 });
    await seesPort(watching, 80);

    proxy.set({ kind: 'answer', status: 500, body: 'no' }, /health\/service\/ill/);
    await consul.ask('PUT', '/v1/agent/service/register', { Name: 'ill', Tags: ['haproxy'], Port: 1 });
    await consul.ask('PUT', '/v1/agent/service/register', { Name: 'well', Tags: ['haproxy'], Port: 2 });

    await watching.sees('the other', ({ catalog }) => catalog.services.has('well'));
    const { evidence, catalog } = await watching.sees('an update that names what is missing', (update) =>
      update.evidence.unanswered.services.includes('ill'),
    );
    expect(evidence.unanswered.services).toEqual(['ill']);
    expect(catalog.services.has('ill')).toBe(false);
    await until(() => watching.status().failing.some(({ query }) => query === 'ill'), 5_000, 'status names it');
    proxy.set(undefined);
    await watching.sees('it as well', (update) => update.catalog.services.has('ill'), 15_000);
  });

  test('a service that does not answer at the start is missing and named, and not waited for for ever', async () => {
    await registerWeb(80);
    await consul.ask('PUT', '/v1/agent/service/register', { Name: 'ill', Tags: ['haproxy'], Port: 1 });
    proxy.set({ kind: 'hang' }, /health\/service\/ill|state\/any\?filter/);
    await using transport = open();

    await using watching = startWatching(transport, { gatherMs: 1_500 });

    await seesPort(watching, 80);
    const [first] = watching.updates;
    expect([...(first?.catalog.services.keys() ?? [])]).toEqual(['web']);
    expect(first?.evidence.unanswered).toEqual({ services: ['ill'], keys: false, datacenters: false });
  });

  test('a Consul that hangs is told by status, and followed again when it answers', async () => {
    await registerWeb(80);
    await using transport = open();
    await using watching = startWatching(transport);
    await seesPort(watching, 80);
    await until(() => proxy.asked.some((url) => /catalog\/services\?index/.test(url)), 5_000, 'the list is being held');

    proxy.set({ kind: 'reset' });
    proxy.set({ kind: 'hang' });
    await until(() => watching.status().failing.some(({ error }) => error.includes('no answer within')), 20_000, 'status tells of it');
    await registerWeb(81);
    proxy.set(undefined);

    await seesPort(watching, 81, 30_000);
    expect(broken(watching)).toEqual([]);
  });

  test('a catalog that a Consul shows empty is an update with evidence, and comes back whole', async () => {
    await registerWeb(80);
    for (let n = 0; n < 20; n++) await consul.ask('PUT', '/v1/agent/service/register', { Name: `s${n}`, Tags: ['haproxy'], Port: n + 1 });
    await using transport = open();
    await using watching = startWatching(transport);
    await watching.sees('all', ({ catalog }) => catalog.services.size === 21);

    proxy.set({ kind: 'answer', status: 200, body: '{}', headers: { 'x-consul-index': '3' } }, /catalog\/services/);
    const { catalog, evidence, changed } = await watching.sees('nothing', (update) => update.catalog.services.size === 0);
    proxy.set(undefined);
    await watching.sees('all again', (update) => update.catalog.services.size === 21);

    expect(catalog.services.size).toBe(0);
    expect(changed).toHaveLength(21);
    expect(evidence.listed).toBe(0);
    expect(evidence.wentBack?.to).toBe(3);
    expect(watching.updates.map((update) => update.catalog.services.size).filter((size) => size !== 0 && size !== 21)).toEqual([]);
  });

  test('no leader and a token that may not see everything are evidence', async () => {
    await registerWeb(80);
    await using transport = open();
    await using watching = startWatching(transport);
    await seesPort(watching, 80);
    const { evidence: calm } = await watching.sees('anything', () => true);
    const headers = {
      'x-consul-index': String(await listIndex()),
      'x-consul-knownleader': 'false',
      'x-consul-results-filtered-by-acls': 'true',
    };

    proxy.set({ kind: 'answer', status: 200, body: '{"web":["haproxy"]}', headers }, /catalog\/services/);

    const { evidence, catalog } = await watching.sees('doubt', (update) => update.evidence.withoutLeader.length > 0);
    expect(evidence).toMatchObject({ withoutLeader: ['/v1/catalog/services'], filteredByAcl: ['/v1/catalog/services'] });
    expect(calm).toMatchObject({ withoutLeader: [], filteredByAcl: [], emptyThoughListed: [], listed: 2 });
    expect(catalog.services.get('web')).toHaveLength(2);
    await consul.ask('PUT', '/v1/agent/service/register', { Name: 'other', Port: 1 });
    proxy.set(undefined);
    await watching.sees('no doubt', (update) => update.evidence.withoutLeader.length === 0, 15_000);
  });

  test('a Consul that is killed and comes back empty is an index that went back, and what is registered then is seen', async () => {
    for (let port = 60; port <= 80; port++) await registerWeb(port);
    await using transport = open();
    await using watching = startWatching(transport);
    await seesPort(watching, 80);

    await consul.kill();
    await until(() => watching.status().failing.length > 0, 10_000, 'status tells of it');
    const duringOutage = watching.updates.at(-1)?.catalog.services.get('web')?.length;
    await consul.restart();

    const { evidence } = await watching.sees('an empty catalog', ({ catalog }) => catalog.services.size === 0, 20_000);
    expect(duringOutage).toBe(2);
    expect(evidence.listed).toBe(1);
    expect(evidence.wentBack).toBeDefined();
    expect(evidence.wentBack?.from ?? 0).toBeGreaterThan(evidence.wentBack?.to ?? 0);
    expect(watching.updates.filter((update) => update.evidence.wentBack === undefined && !update.catalog.services.has('web'))).toEqual([]);
    await registerWeb(82);
    await seesPort(watching, 82);
  });
});

test('a Consul that keeps its data is followed over its restart without a snapshot that lacks something', async () => {
  await using faithful = await startConsul({ keepsData: true });
  await faithful.ask('PUT', '/v1/catalog/register', {
    Node: 'n1',
    Address: '10.0.0.1',
    Service: { ID: 'web', Service: 'web', Tags: ['haproxy'], Port: 80 },
  });
  await using transport = createTransport({ address: { kind: 'tcp', tls: false, host: '127.0.0.1', port: faithful.httpPort } });
  await using watching = startWatching(transport);
  await watching.sees('the service', ({ catalog }) => catalog.services.has('web'));

  await faithful.kill();
  await faithful.restart();
  await faithful.ask('PUT', '/v1/catalog/register', {
    Node: 'n1',
    Address: '10.0.0.1',
    Service: { ID: 'web', Service: 'web', Tags: ['haproxy'], Port: 81 },
  });

  const { evidence } = await watching.sees('the new port', ({ catalog }) => catalog.services.get('web')?.[0]?.port === 81, 30_000);
  expect(evidence.wentBack).toBeUndefined();
  expect(watching.updates.filter(({ catalog }) => !catalog.services.has('web'))).toEqual([]);
});
