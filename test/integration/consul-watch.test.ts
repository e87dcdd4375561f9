import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { parseConsulAddress } from '../../consul/address.ts';
import { connectConsul } from '../../consul/connect.ts';
import { type ConsulOptions, createTransport, type WatchTransport } from '../../consul/transport.ts';
import type { Instance } from '../../model/instance.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { startWatching, type Watching } from '../harness/watching.ts';

jest.setTimeout(20_000);

let consul: TestConsul;
beforeAll(async () => {
  consul = await startConsul({ https: true });
}, 30_000);
afterAll(async () => {
  await consul[Symbol.asyncDispose]();
});

/** Each way of watching, over what it needs. A transport without capacity leaves the triggers only. */
const WAYS = {
  'a query a service over HTTP/1.1': () => plain(),
  'a query a service over HTTP/2': () => connectConsul({ ...at(consul.httpsUrl), tls: { ca: readFileSync(consul.caFile, 'utf8') } }),
  'triggers over HTTP/1.1': () => ({ ...plain(), capacity: () => 0 }),
} satisfies Record<string, () => WatchTransport & AsyncDisposable>;

function plain() {
  return createTransport(at(consul.url));
}

function at(url: string): ConsulOptions {
  const address = parseConsulAddress(url);
  if (address === undefined) throw new Error(`no address: ${url}`);
  return { address };
}

/** Writes to the catalog itself, as an agent of that node would. */
interface Registration {
  readonly node?: string;
  readonly nodeAddress?: string;
  readonly nodeMeta?: Record<string, string>;
  readonly service: string;
  readonly id: string;
  readonly port?: number;
  readonly tags?: readonly string[];
  readonly meta?: Record<string, string>;
  readonly address?: string;
  /** The status of a check of its own; none unless said. */
  readonly check?: string;
  readonly output?: string;
}

async function register(one: Registration): Promise<void> {
  const { node = 'n1', nodeAddress = '10.0.0.1', nodeMeta, service, id, port = 80, tags = [], meta, address, check, output = '' } = one;
  const checks =
    check === undefined ? [] : [{ Node: node, CheckID: `service:${id}`, Name: 'c', Status: check, ServiceID: id, Output: output }];
  await consul.ask('PUT', '/v1/catalog/register', {
    Node: node,
    Address: nodeAddress,
    NodeMeta: nodeMeta,
    Service: { ID: id, Service: service, Port: port, Tags: ['haproxy', ...tags], Meta: meta, Address: address },
    Checks: checks,
  });
}

async function nodeCheck(node: string, id: string, status: string): Promise<void> {
  const body = { Node: node, SkipNodeUpdate: true, Check: { Node: node, CheckID: id, Name: id, Status: status } };
  await consul.ask('PUT', '/v1/catalog/register', body);
}

async function deregister(node: string, what: { ServiceID?: string; CheckID?: string } = {}): Promise<void> {
  await consul.ask('PUT', '/v1/catalog/deregister', { Node: node, ...what });
}

function instances(service: string, watching: Watching): readonly Instance[] {
  return watching.updates.at(-1)?.catalog.services.get(service) ?? [];
}

let next = 0;

describe.each(Object.entries(WAYS))('%s', (_, open) => {
  /** A name of its own for each test, so that they share a Consul without meeting. */
  let web: string;
  let transport: WatchTransport & AsyncDisposable;
  let watching: Watching;
  beforeAll(async () => {
    transport = open();
    watching = startWatching(transport);
    await watching.sees('a first snapshot', () => true);
  });
  afterAll(async () => {
    await watching[Symbol.asyncDispose]();
    await transport[Symbol.asyncDispose]();
  });

  async function seesOne(what: string, fits: (instance: Instance) => boolean): Promise<void> {
    await watching.sees(`${web}: ${what}`, ({ catalog }) => catalog.services.get(web)?.some(fits) ?? false);
  }

  async function given(...registrations: readonly Omit<Registration, 'service'>[]): Promise<void> {
    web = `web${next++}`;
    for (const one of registrations) await register({ service: web, ...one });
    await watching.sees(`${web} is there`, ({ catalog }) => catalog.services.get(web)?.length === registrations.length);
  }

  const VISIBLE: readonly (readonly [string, Partial<Registration>, (instance: Instance) => boolean])[] = [
    ['tags', { tags: ['more'] }, ({ tags }) => tags.includes('more')],
    ['the order of tags', { tags: ['b', 'a'] }, ({ tags }) => tags.join() === 'haproxy,b,a'],
    ['the port', { port: 81 }, ({ port }) => port === 81],
    ['meta', { meta: { k: 'v' } }, ({ meta }) => meta['k'] === 'v'],
    ['the address', { address: '10.7.7.7' }, ({ address }) => address === '10.7.7.7'],
  ];

  test.each(VISIBLE)('sees %s change, with a check and without', async (what, change, fits) => {
    for (const check of [{ check: 'passing' }, {}]) {
      await given({ id: 'a', ...check });

      await register({ service: web, id: 'a', ...check, ...change });

      await seesOne(what, fits);
    }
  });

  test.each([{ check: 'passing' }, {}])('sees an instance come and go, with %j', async (check) => {
    await given({ id: `a${next}`, ...check });

    await register({ service: web, id: `b${next}`, node: 'n2', nodeAddress: '10.0.0.2', ...check });
    await watching.sees('two instances', ({ catalog }) => catalog.services.get(web)?.length === 2);
    expect(instances(web, watching).map(({ node, address }) => [node, address])).toEqual([
      ['n1', '10.0.0.1'],
      ['n2', '10.0.0.2'],
    ]);

    for (const { node, id } of instances(web, watching)) await deregister(node, { ServiceID: id });
    await watching.sees('no service', ({ catalog }) => !catalog.services.has(web));
  });

  test('sees a check change its mind, and maintenance', async () => {
    const id = `h${next}`;
    await given({ id, check: 'passing' });

    for (const check of ['critical', 'warning', 'passing'] as const) {
      await register({ service: web, id, check });
      await seesOne(check, ({ health }) => health === check);
    }
    await consul.ask('PUT', '/v1/catalog/register', {
      Node: 'n1',
      Address: '10.0.0.1',
      Check: { Node: 'n1', CheckID: `_service_maintenance:${id}`, Name: 'm', Status: 'critical', ServiceID: id },
    });
    await seesOne('maintenance', ({ health }) => health === 'maintenance');
    await deregister('n1', { CheckID: `_service_maintenance:${id}` });
    await seesOne('no maintenance', ({ health }) => health === 'passing');
  });

  test('sees what happens to a node: its checks, its loss, its address, its end', async () => {
    const node = `lost${next}`;
    await given({ id: 'a', node, nodeAddress: '10.1.1.1' });

    await nodeCheck(node, 'disk', 'critical');
    await seesOne('a critical node', ({ health, nodeLost }) => health === 'critical' && !nodeLost);
    await deregister(node, { CheckID: 'disk' });
    await seesOne('a passing node', ({ health }) => health === 'passing');
    await nodeCheck(node, 'serfHealth', 'critical');
    await seesOne('a lost node', ({ nodeLost }) => nodeLost);
    await nodeCheck(node, 'serfHealth', 'passing');
    await register({ service: web, id: 'a', node, nodeAddress: '10.1.1.2' });
    await seesOne('a node with another address', ({ address, nodeLost }) => address === '10.1.1.2' && !nodeLost);
    await deregister(node);
    await watching.sees('no service', ({ catalog }) => !catalog.services.has(web));
  });

  test('sees what an agent says of its own services', async () => {
    web = `agent${next++}`;
    const service = { ID: web, Name: web, Tags: ['haproxy'], Port: 80, Check: { TTL: '60s', Status: 'passing' } };

    await consul.ask('PUT', '/v1/agent/service/register', service);
    await seesOne('the service', ({ health }) => health === 'passing');
    await consul.ask('PUT', '/v1/agent/service/register', { ...service, Port: 81 });
    await seesOne('another port', ({ port }) => port === 81);
    await consul.ask('PUT', `/v1/agent/check/fail/service:${web}`);
    await seesOne('a failed check', ({ health }) => health === 'critical');
    await consul.ask('PUT', `/v1/agent/service/maintenance/${web}?enable=true`);
    await seesOne('maintenance', ({ health }) => health === 'maintenance');
    await consul.ask('PUT', `/v1/agent/service/deregister/${web}`);
    await watching.sees('no service', ({ catalog }) => !catalog.services.has(web));
  });

  test('two names that differ by case are two services', async () => {
    await given({ id: 'lower' });
    const upper = web.toUpperCase();

    await register({ service: upper, id: 'upper', port: 90 });
    await watching.sees('both', ({ catalog }) => catalog.services.has(upper) && catalog.services.has(web));
    await register({ service: web, id: 'lower', port: 91 });

    await seesOne('its own port', ({ port }) => port === 91);
    expect(instances(upper, watching).map(({ id, port }) => [id, port])).toEqual([['upper', 90]]);
  });

  test('what no consumer can see makes no update: the same again, check output, other services', async () => {
    const id = `quiet${next}`;
    await given({ id, check: 'passing', output: 'one' });
    const before = watching.updates.length;

    await register({ service: web, id, check: 'passing', output: 'one' });
    await register({ service: web, id, check: 'passing', output: 'two' });
    await consul.ask('PUT', '/v1/agent/service/register', { Name: `unwanted${next}`, Port: 1 });
    await consul.ask('PUT', '/v1/kv/elsewhere', next);
    const marker = `marker${next++}`;
    await register({ service: marker, id: marker });

    const { catalog, changed } = await watching.sees('the marker', (update) => update.catalog.services.has(marker));
    expect(watching.updates.slice(before).map((update) => update.changed)).toEqual([[marker]]);
    expect(changed).toEqual([marker]);
    expect(catalog.services.get(web)).toBe(watching.updates[before - 1]?.catalog.services.get(web));
  });

  test('sees keys below the prefix, and no others', async () => {
    await consul.ask('PUT', '/v1/kv/haproxy/web/maxconn', 7);
    await watching.sees('the key', ({ catalog }) => catalog.keys.get('haproxy/web/maxconn') === '7');
    await consul.ask('PUT', '/v1/kv/haproxy/web/maxconn', 8);
    const { catalog } = await watching.sees('its new value', (update) => update.catalog.keys.get('haproxy/web/maxconn') === '8');
    expect([...catalog.keys.keys()]).toEqual(['haproxy/web/maxconn']);
    await consul.ask('DELETE', '/v1/kv/haproxy?recurse=true');
    await watching.sees('no key', (update) => update.catalog.keys.size === 0);
  });
});
