import { once } from 'node:events';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { startEdge } from '../harness/edge.ts';
import { type EdgeWorld, type ServedInstance, startEdgeWorld } from '../harness/edge-world.ts';
import { freePort } from '../harness/free-port.ts';
import { startLoad } from '../harness/load.ts';
import { deregister, register } from '../harness/registered.ts';
import { request } from '../harness/request.ts';
import { openTalk } from '../harness/talk.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

jest.setTimeout(120_000);

/** Drift is repaired within this, milliseconds; the rest is for a busy machine. */
const REPAIRED_WITHIN_MS = 10_000;
const HAPROXY = process.env['TOOTS_HAPROXY'] ?? 'haproxy';

let world: EdgeWorld;
const others: ServedInstance[] = [];

beforeAll(async () => {
  world = await startEdgeWorld();
  await world.serve('web', 'a', ['haproxy']);
  await world.isAnswered('web.service', 'web/a');
}, 120_000);

afterEach(async () => {
  const gone = others.splice(0);
  for (const one of gone) await world.withdraw(one);
  for (const { registration } of gone) await world.isAnswered(`${registration.service}.service`, '503', 20_000);
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

async function serve(...[service, id, tags, as]: Parameters<EdgeWorld['serve']>): Promise<ServedInstance> {
  const one = await world.serve(service, id, tags, as);
  others.push(one);
  return one;
}

const file = (name: string) => join(world.edge.runDir, name);

/** Whether a reload since `from` had such a reason; a round that follows it at once is another generation. */
async function isReloadedFor(reason: RegExp, from: string): Promise<true> {
  const answered = await fetch(`http://${world.edge.bind}:${world.edge.ports.api}/history`);
  const { generations } = (await answered.json()) as { generations: { at: string; did: string; reasons: string[] }[] };
  const since = generations.filter(({ at }) => at >= from);
  if (since.some(({ did, reasons }) => did === 'reload' && reasons.some((one) => reason.test(one)))) return true;
  throw new Error(JSON.stringify({ since, lastRound: (await world.edge.status()).lastRound }));
}

test('hostile tags of every kind at once: each is named, every other service is served, the configuration is valid', async () => {
  const hostile: Record<string, string> = {
    'evil-line': 'haproxy_route=/a\n  server evil 127.0.0.1:1',
    'evil-return': 'haproxy_httpchk=GET /x\r\nX-Evil: 1',
    'evil-quote': 'haproxy_route=/a"b\'c',
    'evil-shell': 'haproxy_httpchk=GET /x $(touch evil)',
    'evil-tick': 'haproxy_route=/`id`',
    'evil-server': 'haproxy_balance=roundrobin\n  server evil 127.0.0.1:1',
    'evil-weight': 'weight=300',
    'evil-port': 'haproxy_tcp=70000',
    'evil-long': `haproxy_route=/${'x'.repeat(10_000)}`,
    'evil-null': 'haproxy_route=/\u0000',
    'evil-maxconn': 'haproxy_maxconn=1 maxqueue 1',
    'evil-template': 'haproxy_route=/{{ files.config }}{% x %}',
    'evil-percent': 'haproxy_balance=%[env(HOME)]',
  };
  for (const [service, tag] of Object.entries(hostile)) await serve(service, 'x', ['haproxy', tag]);
  await serve('evil-address', 'x', ['haproxy'], { address: '127.0.0.1 weight 256\n  server evil 127.0.0.1:1' });
  await serve('evil-id', 'x', ['haproxy'], { id: 'a b"\n  server evil 127.0.0.1:1', node: 'far' });
  await serve('good', 'a', ['haproxy', 'haproxy_route=/good']);

  await world.isAnswered('good.service.consul', 'good/a');
  for (const service of [...Object.keys(hostile), 'evil-id']) await world.isAnswered(`${service}.service`, `${service}/x`);
  expect(await world.who('any.invalid', '/good/x')).toBe('good/a');
  expect(await world.who('web.service')).toBe('web/a');
  const told = (await world.edge.status()).problems.map(({ subject }) => subject);
  expect([...new Set(told)].sort()).toEqual([...Object.keys(hostile), 'evil-address'].sort());
  await execa(HAPROXY, ['-c', '-f', file('haproxy.cfg')]);
  const config = await readFile(file('haproxy.cfg'), 'utf8');
  expect(config).not.toMatch(/^\s*server evil /m);
  expect(config.length).toBeLessThan(20_000);
});

test('a port that another program has is a problem while it has it, and opens when it is free', async () => {
  const port = await freePort();
  const program = createServer((socket) => socket.end('program')).listen(port, '127.0.0.1');
  await once(program, 'listening');
  await serve('db', 'a', [`haproxy_tcp=${port}`], { kind: 'tcp' });
  await serve('dc', 'a', [`haproxy_tcp=${port}`], { kind: 'tcp' });
  const problems = async () => (await world.edge.status()).problems.filter(({ value }) => value === String(port));

  await until(async () => (await problems()).length === 2, 15_000, 'both are told');
  expect(await problems()).toMatchObject([{ subject: 'db', reason: expect.stringContaining('another program') }, { subject: 'dc' }]);
  program.close();

  await until(() => talkedTo(port, 'db/a'), 10_000, 'the port opens for its owner');
  await until(async () => (await problems()).length === 1, 15_000, 'one problem is over');
  expect(await problems()).toMatchObject([{ subject: 'dc', related: ['db'] }]);
});

test('a HAProxy that was killed serves again within seconds, what was registered meanwhile too', async () => {
  process.kill(await world.edge.master(), 'SIGKILL');
  await serve('late', 'a', ['haproxy']);

  await world.isAnswered('web.service', 'web/a', 10_000);
  await world.isAnswered('late.service', 'late/a', 10_000);
});

test('so does one whose worker was killed', async () => {
  process.kill(await world.edge.worker(), 'SIGKILL');

  await until(async () => (await world.who('web.service')) !== 'web/a', 5_000, 'it is noticed').catch(() => {});
  await world.isAnswered('web.service', 'web/a', 10_000);
});

test('what somebody changes in HAProxy by hand is undone within ten seconds, all of it, without a reload', async () => {
  const services = ['drift-a', 'drift-b', 'drift-c', 'drift-d', 'drift-e'];
  for (const service of services) await serve(service, 'x', ['haproxy']);
  for (const service of services) await world.isAnswered(`${service}.service`, `${service}/x`);
  const server = async (group: string) =>
    `${group}/${new RegExp(`${group} \\d+ (\\S+)`).exec(await world.edge.ask(`show servers state ${group}`))?.[1]}`;
  const state = async () => {
    const servers = (await world.edge.ask('show servers state'))
      .split('\n')
      .map((line) => [...line.split(' ').slice(1, 8), line.split(' ')[18]]);
    const limits = (await world.edge.ask('show stat -1 4 -1')).split('\n').map((line) => line.split(',')[6]);
    const hosts = (await world.edge.ask(`show map ${file('hosts.map')}`)).split('\n').map((line) => line.replace(/^\S+ /, ''));
    const throttles = (await world.edge.ask('show info')).match(/^(?:Maxconn|ConnRateLimit): .*$/gm) ?? [];
    return [...throttles, ...servers.map(([group, , ...rest]) => [group, ...rest].join(' ')).sort(), ...limits, ...hosts.sort()];
  };
  const [before, drifted, worker] = [await state(), await world.edge.metric('toots_edge_drift_total'), await world.edge.worker()];
  const changes = [
    `set server ${await server('drift-a')} weight 7`,
    `set server ${await server('drift-b')} state maint`,
    `set server ${await server('drift-c')} state drain`,
    `set server ${await server('drift-d')} addr 127.0.0.1 port 1`,
    `set maxconn server ${await server('drift-e')} 1`,
    'disable frontend toots:web',
    'set maxconn global 7',
    'set rate-limit connections global 50',
    `del map ${file('hosts.map')} drift-a.service`,
    `set map ${file('hosts.map')} drift-b.service toots:landing`,
    `add map ${file('hosts.map')} evil.test web`,
    'add server web/stranger 127.0.0.1:1',
  ];

  for (const change of changes) await world.edge.ask(change);

  await until(
    async () => (await world.edge.metric('toots_edge_drift_total')) >= drifted + changes.length,
    REPAIRED_WITHIN_MS * 2,
    'all is seen',
  );
  await until(async () => JSON.stringify(await state()) === JSON.stringify(before), REPAIRED_WITHIN_MS, 'it is as it was');
  expect(await world.edge.worker()).toBe(worker);
  await world.isAnswered('drift-d.service', 'drift-d/x');
});

test('a frontend that was shut down by hand, which none but a reload opens, is open again', async () => {
  const begun = new Date().toISOString();
  await world.edge.ask('shutdown frontend toots:web');
  expect(await world.edge.ask('show stat -1 1 -1')).toMatch(/^toots:web,.*,STOP,/m);

  await until(() => isReloadedFor(/enable frontend toots:web/, begun), REPAIRED_WITHIN_MS, 'the reload');
  await world.isAnswered('web.service', 'web/a');
});

test('a second edge does not share the ports of the first, as HAProxy would, but says whose they are until it is told another', async () => {
  const { http } = world.edge.ports;
  await using second = await startEdge({ consulUrl: world.consul.url, args: ['--http-port', `${http}`] });

  await until(
    async () => (await second.status()).problems.some(({ reason }) => reason.includes(`:${http}: another program`)),
    15_000,
    'it is told',
  );
  expect((await second.status()).haproxy.worker).toBeNull();
});

test('files of the run directory that somebody removed are there again, after one reload at most', async () => {
  const shapes = async () => (await readdir(world.edge.runDir)).filter((one) => one.startsWith('shape-'));
  const reloads = await world.edge.metric('toots_edge_reloads_total');
  for (const name of await shapes()) await rm(file(name));
  await until(async () => (await shapes()).length > 0, REPAIRED_WITHIN_MS, 'one is there again');
  const looked = await world.edge.metric('toots_edge_rounds_total');

  await until(async () => (await world.edge.metric('toots_edge_rounds_total')) >= looked + 2, 30_000, 'it is looked at again, twice');
  expect((await world.edge.metric('toots_edge_reloads_total')) - reloads).toBeLessThanOrEqual(1);
});

test('a master whose socket somebody removed makes it anew, and the next reload is done', async () => {
  await rm(file('master.sock'));

  await serve('masterless', 'x', ['haproxy', 'haproxy_httpchk=/']);

  await world.isAnswered('masterless.service', 'masterless/x', 30_000);
  const answers = () => world.edge.askMaster('show proc').catch(() => ''); // it may be starting itself anew
  await until(async () => (await answers()).includes('worker'), 10_000, 'it answers there');
});

test('a HAProxy that was loaded by hand with another configuration gets its own again', async () => {
  const own = await readFile(file('haproxy.cfg'), 'utf8');
  const other = own.replace(/^ {4}description .*$/m, '    description mine');
  await writeFile(file('haproxy.cfg'), other.replace('default_backend toots:unclaimed', 'default_backend toots:landing'));
  await world.edge.askMaster('reload');
  await until(async () => (await world.who('nobody.invalid')) === '200', 10_000, 'the other configuration serves');

  await until(async () => (await world.who('nobody.invalid')) === '503', REPAIRED_WITHIN_MS, 'our own serves');
  await world.isAnswered('web.service', 'web/a');
  expect(await readFile(file('haproxy.cfg'), 'utf8')).not.toContain('description mine');
});

test.each([
  ['found before it, by a check', ['haproxy', 'haproxy_httpchk=/']],
  ['refused by the master', ['haproxy']],
])('a reload that cannot be, %s, leaves what serves, is told, and is done when it can be', async (_, tags) => {
  const [page, worker] = [file('unavailable.html'), await world.edge.worker()];
  await rename(page, `${page}.away`);

  await serve('late', 'a', tags);
  await until(
    async () =>
      (await world.edge.status()).problems.some(({ subject, reason }) => subject === 'edge' && reason.includes('unavailable.html')),
    20_000,
    'it is told',
  );
  expect(await world.edge.worker()).toBe(worker);
  expect(await world.who('web.service')).toBe('web/a');
  await rename(`${page}.away`, page);

  await world.isAnswered('late.service', 'late/a', 20_000);
  expect((await world.edge.status()).lastRound?.why).toContain('changed in Consul: late');
  await until(async () => (await world.edge.status()).problems.length === 0, 20_000, 'nothing is wrong any more');
});

test('a kill between the files and the reload: the next templater reloads, although the files are those it wants', async () => {
  const page = file('unavailable.html');
  await rename(page, `${page}.away`);
  await serve('unloaded', 'a', ['haproxy']);
  await until(
    async () => (await world.edge.status()).problems.some(({ reason }) => reason.includes('unavailable.html')),
    20_000,
    'HAProxy refused it',
  );

  world.edge.templater().signal('SIGKILL');
  await world.edge.templater().ended;
  await rename(`${page}.away`, page);
  expect(await readFile(file('haproxy.cfg'), 'utf8')).toContain('backend unloaded ');
  expect(await world.edge.ask('show stat')).not.toContain('unloaded,');
  await world.edge.start();

  await world.isAnswered('unloaded.service', 'unloaded/a', 20_000);
});

test('a command that HAProxy does not take is a reload that says so', async () => {
  const isReloaded = async () => {
    const { address, port } = await world.fleet.add({ service: 'web', id: 'taken' });
    const [worker, name] = [await world.edge.worker(), `web/web-taken_${address}:${port}`];
    // Between two looks for drift somebody takes the name that the next instance gets.
    await world.edge.ask(`add server ${name} 127.0.0.1:1`);
    const taken = { service: 'web', id: 'web-taken', tags: ['haproxy'], address, port };
    await register(world.consul, taken);
    await until(
      async () => (await world.edge.ask('show servers state web')).includes(` web-taken_${address}:${port} ${address} `),
      15_000,
      'it is there',
    );
    await deregister(world.consul, taken);
    return (await world.edge.worker()) !== worker;
  };

  await until(isReloaded, 60_000, 'it is reloaded');

  // The new worker serves before the round that brought it is over and told.
  const said = /HAProxy did not take \\?"add server web\/web-taken_/;
  await until(() => said.test(world.edge.templater().output()), 5_000, 'it says why');
});

test('an instance may have a host name for an address; one that does not resolve is a problem', async () => {
  const local = await world.fleet.add({ service: 'named', id: 'local', address: '127.0.0.1', port: await freePort() });
  const named = await serve('named', 'a', ['haproxy'], { address: 'localhost', port: local.port });
  await world.isAnswered('named.service', 'named/local');

  await world.change(named, { address: 'no-such-host.invalid' });

  await world.isAnswered('named.service', '503', 20_000);
  const problem = { subject: 'named', value: 'no-such-host.invalid', reason: expect.stringContaining('does not resolve') };
  await until(async () => (await world.edge.status()).problems.length > 0, 20_000, 'a problem');
  expect((await world.edge.status()).problems).toMatchObject([problem]);
});

test('a templater that was killed finds its HAProxy again: nothing is lost, nothing reloaded, and what came meanwhile is served', async () => {
  await serve('kept', 'a', ['haproxy']);
  await world.isAnswered('kept.service', 'kept/a');
  await using load = startLoad({ address: world.edge.bind, port: world.edge.ports.http, host: 'web.service', clients: 4, pauseMs: 2 });
  const worker = await world.edge.worker();

  world.edge.templater().signal('SIGKILL');
  await world.edge.templater().ended;
  expect(await world.who('kept.service')).toBe('kept/a');
  await serve('kept', 'b', ['haproxy']);
  await world.edge.start();
  await world.isAnswered('kept.service', 'kept/b', 15_000);

  expect(await world.edge.worker()).toBe(worker);
  expect(await world.edge.metric('toots_edge_reloads_total')).toBe(0);
  expect((await load.stop()).failures).toEqual({});
});

test('a templater that was told to end does so within five seconds, with 0, and HAProxy goes on', async () => {
  const worker = await world.edge.worker();
  const told = performance.now();

  world.edge.templater().signal('SIGTERM');

  expect(await world.edge.templater().ended).toBe(0);
  expect(performance.now() - told).toBeLessThan(5_000);
  expect(await world.who('web.service')).toBe('web/a');
  expect(await world.edge.worker()).toBe(worker);
  await world.edge.start();
  await until(() => world.edge.status(), 15_000, 'it is back');
});

async function talkedTo(port: number, who: string): Promise<boolean> {
  const talk = await openTalk({ address: '127.0.0.1', port });
  try {
    return (await talk.who()) === who;
  } finally {
    talk.close();
  }
}

test('a HAProxy that may open few files serves, and a problem says so with the remedy', async () => {
  await using folder = await tempDir();
  const haproxy = join(folder.path, 'haproxy');
  await writeFile(haproxy, `#!/bin/sh\nulimit -n 300\nexec ${HAPROXY} "$@"\n`, { mode: 0o755 });
  await using edge = await startEdge({ consulUrl: world.consul.url, args: ['--haproxy', haproxy] });

  const answer = () => request({ port: edge.ports.http, host: 'web.service' });
  await until(async () => (await answer()).kind === 'answer', 20_000, 'the edge serves');

  const { problems } = await until(
    async () => {
      const status = await edge.status();
      return status.lastRound === null ? undefined : status;
    },
    5_000,
    'the round is over',
  );
  expect(problems).toContainEqual(
    expect.objectContaining({
      subject: 'edge',
      option: 'nofile',
      reason: expect.stringMatching(/no more than \d+ connections at once, as it may open (?:299|300) files.*LimitNOFILE/),
    }),
  );
});
