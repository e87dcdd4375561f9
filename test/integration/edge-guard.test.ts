import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { parseConsulAddress } from '../../consul/address.ts';
import { call } from '../../consul/call.ts';
import { createTransport } from '../../consul/transport.ts';
import { type EdgeWorld, startEdgeWorld } from '../harness/edge-world.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

jest.setTimeout(90_000);

async function heldServices(world: EdgeWorld): Promise<string[]> {
  const { holds } = await world.edge.status();
  return holds.map(({ service }) => service).sort();
}

async function putKey(world: EdgeWorld, path: string, value: string): Promise<void> {
  const address = parseConsulAddress(world.consul.url);
  if (address === undefined) throw new Error(world.consul.url);
  await using transport = createTransport({ address });
  await call(transport, { method: 'PUT', path: `/v1/kv/${path}`, body: value }, new AbortController().signal);
}

test('Consul that comes back empty takes no route away; what is registered again is no longer held; a release believes Consul', async () => {
  await using world = await startEdgeWorld();
  for (const service of ['web', 'shop', 'cart']) await world.serve(service, 'a', ['haproxy']);
  for (const service of ['web', 'shop', 'cart']) await world.isAnswered(`${service}.service`, `${service}/a`);

  await world.consul.restart({ wiped: true });
  await until(async () => (await heldServices(world)).length === 3, 30_000, 'all three are held');
  for (const service of ['web', 'shop', 'cart']) expect(await world.who(`${service}.service`)).toBe(`${service}/a`);

  const again = await world.serve('web', 'a', ['haproxy']);
  await until(
    async () => (await world.who('web.service')) === 'web/a' && (await heldServices(world)).length >= 2,
    10_000,
    'it is followed again',
  );
  expect(await world.who('cart.service')).toBe('cart/a');
  await world.withdraw(again);

  const { bind, ports } = world.edge;
  await fetch(`http://${bind}:${ports.api}/release?service=shop`, { method: 'POST' });
  await world.isAnswered('shop.service', '503');
  expect(await world.who('cart.service')).toBe('cart/a');
});

test('an edge that starts while Consul is away serves what was last known', async () => {
  await using world = await startEdgeWorld();
  await world.serve('web', 'a', ['haproxy', 'haproxy_route=/known']);
  await world.isAnswered('web.service', 'web/a');
  const memory = join(world.edge.runDir, 'memory.json');
  await until(async () => (await execa('grep', ['-c', '/known', memory], { reject: false })).exitCode === 0, 10_000, 'it is remembered');

  await world.consul.kill();
  await world.edge.templater().stop();
  const [worker, master] = [await world.edge.worker(), await world.edge.master()];
  for (const pid of [master, worker]) process.kill(pid, 'SIGKILL');
  await world.edge.start();

  await until(async () => (await world.who('any.host', '/known/x')) === 'web/a', 30_000, 'it is served from memory');
  const isTold = async () =>
    (await world.edge.status()).problems.some(({ option, reason }) => option === 'consul' && reason.includes('ECONNREFUSED'));
  await until(isTold, 30_000, 'that Consul is away is told');
});

test('shares in KV split a service between its variants at once, and the tags count again without them', async () => {
  await using world = await startEdgeWorld();
  for (const id of ['s1', 's2', 's3']) await world.serve('python', id, ['haproxy'], { meta: { 'toots-variant': '/shop/stable' } });
  await world.serve('python', 'c1', ['haproxy', 'weight=1'], { meta: { 'toots-variant': '/shop/canary' } });
  await world.isAnswered('python.service', /^python\//);
  const weights = async () => {
    const lines = (await world.edge.ask('show servers state python')).split('\n').filter((line) => line.includes(' python '));
    return Object.fromEntries(
      lines.map((line) => line.split(' ')).map((fields) => [String(fields[3]).replace(/_.*/, ''), Number(fields[7])]),
    );
  };

  await putKey(world, 'haproxy/python/weights', '{"stable":25,"canary":75}');
  await until(async () => (await weights())['python-c1'] === 256, 10_000, 'the canary has its share');
  expect(await weights()).toEqual({ 'python-s1': 29, 'python-s2': 28, 'python-s3': 28, 'python-c1': 256 });

  await putKey(world, 'haproxy/python/weights', 'nonsense');
  await until(async () => (await weights())['python-c1'] === 1, 10_000, 'the tags count again');
  expect((await world.edge.status()).problems).toMatchObject([{ subject: 'python', option: 'haproxy/python/weights', value: 'nonsense' }]);
});

test('a service whose section HAProxy refuses is found, named and left out; all others go on, and it comes back when it is mended', async () => {
  await using folder = await tempDir();
  const picky = join(folder.path, 'haproxy');
  // A double that refuses one section when it checks, and is the real HAProxy otherwise.
  await writeFile(
    picky,
    `#!/bin/sh\nif [ "$1" = -c ] && grep -A9 '^backend evil ' "$3" | grep -q /refused; then echo '[ALERT] refused' >&2; exit 1; fi\nexec haproxy "$@"\n`,
  );
  await chmod(picky, 0o755);
  await using world = await startEdgeWorld({ args: ['--haproxy', picky] });
  await world.serve('web', 'a', ['haproxy']);
  const evil = await world.serve('evil', 'a', ['haproxy', 'haproxy_httpchk=/refused']);
  await world.serve('good', 'a', ['haproxy']);

  await world.isAnswered('web.service', 'web/a', 15_000);
  await world.isAnswered('good.service', 'good/a', 15_000);
  await until(
    async () => (await world.edge.status()).problems.some(({ subject, reason }) => subject === 'evil' && reason.includes('refused')),
    15_000,
    'the offender is named',
  );
  expect(await world.who('evil.service')).toBe('503');

  await world.change(evil, { tags: ['haproxy', 'haproxy_httpchk=/'] });
  await world.isAnswered('evil.service', 'evil/a', 15_000);
  expect((await world.edge.status()).problems).toEqual([]);
});
