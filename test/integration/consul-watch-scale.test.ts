import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { connectConsul } from '../../consul/connect.ts';
import { createTransport } from '../../consul/transport.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { startConsulProxy } from '../harness/consul-proxy.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { until } from '../harness/until.ts';
import { startWatching, type Watching } from '../harness/watching.ts';

jest.setTimeout(60_000);

let consul: TestConsul;
beforeEach(async () => {
  consul = await startConsul({ https: true, config: { limits: { http_max_conns_per_client: 1_000 } } });
});
afterEach(async () => {
  await consul[Symbol.asyncDispose]();
});

async function register(numbers: readonly number[], port = 80): Promise<void> {
  const rest = numbers[Symbol.iterator]();
  const work = async () => {
    for (const n of rest) {
      const Service = { ID: `s${n}`, Service: `s${n}`, Tags: ['haproxy'], Port: port };
      await consul.ask('PUT', '/v1/catalog/register', { Node: `n${n % 7}`, Address: '10.0.0.1', Service });
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

async function deregister(numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await consul.ask('PUT', '/v1/catalog/deregister', { Node: `n${n % 7}`, ServiceID: `s${n}` });
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, n) => from + n);
}

async function seesAll(watching: Watching, count: number): Promise<void> {
  await watching.sees(`${count} services`, ({ catalog }) => catalog.services.size === count, 20_000);
}

/** How many services each update has. */
function sizes(watching: Watching): readonly number[] {
  return watching.updates.map(({ catalog }) => catalog.services.size);
}

test('600 services over HTTP/2 take three connections, come as one snapshot, and survive the loss of the connections', async () => {
  await register(range(0, 600));
  await using proxy = await startTcpProxy(Number(new URL(consul.httpsUrl).port));
  const address = { kind: 'tcp', tls: true, host: '127.0.0.1', port: proxy.port } as const;
  await using transport = connectConsul({ address, tls: { ca: readFileSync(consul.caFile, 'utf8') } });
  await using watching = startWatching(transport);

  await seesAll(watching, 600);
  expect(sizes(watching)).toEqual([600]);
  expect(watching.status().way).toBe('each');
  expect(proxy.connections().most).toBeLessThanOrEqual(4);

  proxy.cut();
  await until(() => watching.status().failing.length > 0, 5_000, 'status tells of it');
  await register([1], 81);
  await watching.sees('the change', ({ catalog }) => catalog.services.get('s1')?.[0]?.port === 81, 20_000);
  await until(() => watching.status().failing.length === 0, 20_000, 'nothing fails any more');
  expect(new Set(sizes(watching))).toEqual(new Set([600]));
  await until(() => proxy.connections().open <= 3, 20_000, 'connections that nothing needs any more are closed');
});

test('an HTTPS agent whose certificate cannot be trusted is told, and is not spoken to', async () => {
  await using transport = connectConsul({
    address: { kind: 'tcp', tls: true, host: '127.0.0.1', port: Number(new URL(consul.httpsUrl).port) },
  });
  await using watching = startWatching(transport);

  const { error } = await until(() => watching.status().failing[0], 5_000, 'status tells of it');
  expect(error).toMatch(/certificate/);
  expect(watching.updates).toEqual([]);
});

test('over HTTP/1.1 the way changes with the number of services, and no snapshot on the way lacks one', async () => {
  await register(range(0, 80));
  await using proxy = await startConsulProxy(consul.httpPort);
  await using transport = createTransport({ address: { kind: 'tcp', tls: false, host: '127.0.0.1', port: proxy.port } });
  await using watching = startWatching(transport);
  await seesAll(watching, 80);
  expect(watching.status().way).toBe('each');

  await register(range(80, 300));
  await seesAll(watching, 300);
  expect(watching.status().way).toBe('triggers');
  expect(proxy.connections().most).toBeLessThanOrEqual(100);
  await until(() => proxy.connections().open <= 40, 10_000, 'few connections are open');

  await register([7], 81);
  await watching.sees('a change', ({ catalog }) => catalog.services.get('s7')?.[0]?.port === 81);
  await deregister(range(50, 300));
  await seesAll(watching, 50);
  expect(watching.status().way).toBe('each');
  await register([8], 82);
  await watching.sees('another change', ({ catalog }) => catalog.services.get('s8')?.[0]?.port === 82);

  const all = sizes(watching);
  const largest = all.indexOf(300);
  expect(all.slice(0, largest)).toEqual([...all.slice(0, largest)].sort((a, b) => a - b));
  expect(all.slice(largest)).toEqual([...all.slice(largest)].sort((a, b) => b - a));
});

test('the first answers of many services come from a few tables, and from the services themselves where the tables do not fit together', async () => {
  await register(range(0, 120));
  await using proxy = await startConsulProxy(consul.httpPort);
  const address = { kind: 'tcp', tls: false, host: '127.0.0.1', port: proxy.port } as const;
  const asks = () => proxy.asked.filter((url) => url.includes('/v1/health/service/')).length;
  {
    await using transport = createTransport({ address });
    await using watching = startWatching(transport);
    await seesAll(watching, 120);
    expect(asks()).toBe(0);
    await register([3], 81);
    await watching.sees('a change', ({ catalog }) => catalog.services.get('s3')?.[0]?.port === 81);
    expect(asks()).toBeGreaterThan(0);
  }
  proxy.set({ kind: 'answer', status: 403, body: 'Permission denied' }, /health\/state\/any\?filter/);
  const before = asks();
  await using transport = createTransport({ address });
  await using watching = startWatching(transport);
  await seesAll(watching, 120);
  expect(asks() - before).toBeGreaterThanOrEqual(120);
});

test('what idles is held long by Consul: less than a request a second at 500 services', async () => {
  await register(range(0, 500));
  await using proxy = await startConsulProxy(consul.httpPort);
  const plain = createTransport({ address: { kind: 'tcp', tls: false, host: '127.0.0.1', port: proxy.port }, maxConnections: 600 });
  await using transport = plain;
  await using watching = startWatching(transport);
  await seesAll(watching, 500);

  const held = () => proxy.asked.filter((url) => url.includes('index='));
  await until(() => held().length >= 502, 10_000, 'every query is being held');
  const waitsMs = held().map((url) => Number(/wait=(\d+)ms/.exec(url)?.[1]));
  const requestsPerSecond = waitsMs.reduce((sum, waitMs) => sum + 1_000 / waitMs, 0);
  expect(requestsPerSecond).toBeLessThan(1);
});

test('a slow consumer gets the newest snapshot, not every one', async () => {
  await register([1], 80);
  const { watchCatalog } = await import('../../consul/watch-catalog.ts');
  const { createLog } = await import('../../daemon/log.ts');
  const end = new AbortController();
  await using transport = createTransport({ address: { kind: 'tcp', tls: false, host: '127.0.0.1', port: consul.httpPort } });
  const watch = watchCatalog({ transport, isWanted: () => true, keyPrefix: 'x/', log: createLog('test', 'silent') }, end.signal);
  const iterator = watch[Symbol.asyncIterator]();
  await iterator.next();

  for (let port = 81; port <= 90; port++) await register([1], port);
  await consul.ask('PUT', '/v1/kv/x/last', 1);
  const ports: (number | undefined)[] = [];
  for (;;) {
    const { value } = await iterator.next();
    ports.push(value?.catalog.services.get('s1')?.[0]?.port);
    if (ports.at(-1) === 90) break;
  }

  expect(ports.length).toBeLessThanOrEqual(4);
  end.abort();
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test('leaving the iteration ends every request at once', async () => {
  await register(range(0, 20));
  await using proxy = await startConsulProxy(consul.httpPort);
  await using transport = createTransport({ address: { kind: 'tcp', tls: false, host: '127.0.0.1', port: proxy.port } });
  const watching = startWatching(transport);
  await seesAll(watching, 20);
  await until(() => proxy.held() === 22, 5_000, 'every query is being held');

  await watching[Symbol.asyncDispose]();

  await until(() => proxy.held() === 0, 5_000, 'no request is being held');
});
