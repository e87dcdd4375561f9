import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { type ConsulProxy, startConsulProxy } from '../harness/consul-proxy.ts';
import { type EdgeWorld, startEdgeWorld } from '../harness/edge-world.ts';
import { freePort } from '../harness/free-port.ts';
import { startLoad } from '../harness/load.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

jest.setTimeout(300_000);

/** How often the templater is killed; the long run: TOOTS_TEST_EDGE_KILLS=50. */
const KILLS = Number(process.env['TOOTS_TEST_EDGE_KILLS'] ?? 8);
/** How long Consul is at fault, milliseconds: longer than its answers are waited for at first. */
const FAULT_MS = 1_500;

/** An agent that swallowed what it was asked is noticed by the list's query, which it may hold for 10 s, milliseconds. */
const FOLLOWED_WITHIN_MS = 25_000;

const SERVICES = ['web', 'shop', 'cart'];

function loadOf(world: EdgeWorld): ReturnType<typeof startLoad> {
  return startLoad({ address: world.edge.bind, port: world.edge.ports.http, host: 'web.service', clients: 4, pauseMs: 2 });
}

const index = (value: number) => ({ 'x-consul-index': String(value), 'x-consul-knownleader': 'true' });
const answer = (body: string, headers: Readonly<Record<string, string>> = {}, status = 200) => ({
  kind: 'answer' as const,
  status,
  body,
  headers,
});

test('whatever Consul answers, no request is lost, what looks like a loss is held, and afterwards it is followed again', async () => {
  let proxy: ConsulProxy | undefined;
  await using world = await startEdgeWorld({}, async (consul) => {
    proxy = await startConsulProxy(consul.httpPort);
    return `http://127.0.0.1:${proxy.port}`;
  });
  for (const service of SERVICES) await world.serve(service, 'a', ['haproxy']);
  for (const service of SERVICES) await world.isAnswered(`${service}.service`, `${service}/a`);
  await using under = loadOf(world);
  const health = /\/v1\/health\/service\//;
  const faults: [title: string, fault: Parameters<ConsulProxy['set']>[0], urls: RegExp, isHeld: boolean][] = [
    ['500', answer('no', {}, 500), /./, false],
    ['hangs', { kind: 'hang' }, /./, false],
    ['reset', { kind: 'reset' }, /./, false],
    ['cut in the middle', { kind: 'cut' }, /./, false],
    ['garbage', answer('<html>', index(9_000_001)), /./, false],
    ['another JSON', answer('"x"', index(9_000_002)), /./, false],
    ['no index', answer('[]'), /./, false],
    ['no leader', answer('[]', { ...index(2), 'x-consul-knownleader': 'false' }), health, true],
    ['filtered by ACL', answer('[]', { ...index(2), 'x-consul-results-filtered-by-acls': 'true' }), health, true],
    ['nothing at all', answer('{}', index(2)), /\/v1\/catalog\/services/, true],
  ];

  for (const [title, fault, urls, isHeld] of faults) {
    proxy?.set(fault, urls);
    if (isHeld) await until(async () => (await world.edge.status()).holds.length === SERVICES.length, 20_000, `${title}: all are held`);
    else await wait(FAULT_MS);
    expect([title, ...(await Promise.all(SERVICES.map((service) => world.who(`${service}.service`))))]).toEqual([
      title,
      'web/a',
      'shop/a',
      'cart/a',
    ]);
    proxy?.set(undefined);
    const next = await world.serve('shop', 'next', ['haproxy']);
    await until(async () => (await world.who('shop.service')) === 'shop/next', FOLLOWED_WITHIN_MS, `${title}: it is followed again`);
    await world.withdraw(next);
    const isOver = async () => (await world.edge.status()).holds.length === 0 && (await world.who('shop.service')) === 'shop/a';
    await until(isOver, FOLLOWED_WITHIN_MS, `${title}: nothing is held, not even what goes right after the index went back`);
  }

  expect((await under.stop()).failures).toEqual({});
  await proxy?.[Symbol.asyncDispose]();
});

test('a templater that is killed at any moment, under load and changes, costs no request, and the next one converges', async () => {
  // An agent counts the connections of a client that was killed until their held requests end, a minute or more: 200 are soon reached.
  await using world = await startEdgeWorld({}, undefined, { config: { limits: { http_max_conns_per_client: 4_000 } } });
  await world.serve('web', 'stays', ['haproxy']);
  await world.isAnswered('web.service', 'web/stays');
  await using under = loadOf(world);

  let newest = await world.serve('web', 'i0', ['haproxy']);
  for (let i = 1; i <= KILLS; i += 1) {
    const served = world.serve('web', `i${i}`, ['haproxy', `weight=${i}`]);
    const fresh = world.serve(`new-${i}`, 'a', ['haproxy']);
    await wait(Math.random() * 60);
    world.edge.templater().signal('SIGKILL');
    await world.edge.templater().ended;
    await world.edge.start();
    await world.withdraw(newest);
    newest = await served;
    await fresh;
    await world.isAnswered(`new-${i}.service`, `new-${i}/a`, 30_000);
    await until(
      async () => {
        const servers = await world.edge.ask('show servers state web');
        return servers.includes(`web-i${i}_`) && !servers.includes(`web-i${i - 1}_`);
      },
      30_000,
      `after kill ${i} HAProxy has what Consul has`,
    );
  }

  expect((await under.stop()).failures).toEqual({});
});

test('a run directory that can no longer be written is told with its remedy; what needs no file goes on, and the rest is done when it can be', async () => {
  await using folder = await tempDir();
  await using world = await startEdgeWorld({ runDir: folder.path });
  await world.serve('web', 'stays', ['haproxy']);
  await world.isAnswered('web.service', 'web/stays');
  await using under = loadOf(world);
  const reasons = async () => (await world.edge.status()).problems.map(({ reason }) => reason).join('\n');

  await execa('mount', ['--bind', folder.path, folder.path]);
  try {
    await execa('mount', ['-o', 'remount,ro,bind', folder.path]);
    await world.serve('late', 'a', ['haproxy', 'haproxy_httpchk=/']);
    await until(async () => /read-only file system.* has to be writable/.test(await reasons()), 20_000, 'it is told');
    await world.serve('web', 'more', ['haproxy']);
    await until(() => under.report().byInstance['more'], 20_000, 'an instance comes all the same');
    expect((await fetch(`http://${world.edge.bind}:${world.edge.ports.api}/health/ready`)).status).toBe(200);
    await execa('mount', ['-o', 'remount,rw,bind', folder.path]);
    await world.isAnswered('late.service', 'late/a', 20_000);
    await until(async () => (await reasons()) === '', 20_000, 'nothing is wrong any more');
    expect((await under.stop()).failures).toEqual({});
  } finally {
    await execa('umount', ['-l', folder.path]);
  }
});

test('a full disk is told, loses nothing and is over when it is over; so is a HAProxy that stands still', async () => {
  await using folder = await tempDir();
  const mount = (...words: string[]) => execa('mount', [...words, folder.path]);
  await mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs');
  try {
    await using world = await startEdgeWorld({ runDir: folder.path });
    await world.serve('web', 'stays', ['haproxy']);
    await world.isAnswered('web.service', 'web/stays');
    await using under = loadOf(world);
    const problems = async () => (await world.edge.status()).problems.map(({ reason }) => reason).join('\n');

    await execa('sh', ['-c', `head -c 2000000 /dev/zero > ${join(folder.path, 'filler')}`], { reject: false });
    await world.serve('web', 'full', ['haproxy']);
    await until(() => under.report().byInstance['full'], 15_000, 'an instance comes without the disk');
    const port = await freePort();
    await world.serve('db', 'a', [`haproxy_tcp=${port}`], { kind: 'tcp' });
    await until(async () => /ENOSPC|no space/i.test(await problems()), 20_000, 'the disk is told');
    await writeFile(join(folder.path, 'filler'), '');
    await until(async () => !/ENOSPC|no space/i.test(await problems()), 20_000, 'it is over');
    await until(async () => (await world.edge.ask('show stat')).includes(`toots:tcp:${port}`), 20_000, 'the port opens');

    const worker = await world.edge.worker();
    process.kill(worker, 'SIGSTOP');
    await world.serve('web', 'still', ['haproxy']);
    await wait(FAULT_MS);
    process.kill(worker, 'SIGCONT');
    await until(() => under.report().byInstance['still'], 20_000, 'it is followed after it stood still');
    expect((await under.stop()).failures).toEqual({});
  } finally {
    await execa('umount', ['-l', folder.path]);
  }
});
