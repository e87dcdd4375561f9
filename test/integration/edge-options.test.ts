import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type EdgeWorld, type ServedInstance, startEdgeWorld } from '../harness/edge-world.ts';
import { freePort } from '../harness/free-port.ts';
import { startLoad } from '../harness/load.ts';
import { request } from '../harness/request.ts';
import { until } from '../harness/until.ts';

jest.setTimeout(60_000);

let world: EdgeWorld;

beforeAll(async () => {
  world = await startEdgeWorld();
}, 120_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

/** Who answered a client, what cookie it was given, and what the instance saw of its cookies. */
interface Visit {
  readonly instance: string | undefined;
  readonly status: number;
  readonly given: string | undefined;
  readonly seen: string | string[] | undefined;
}

async function visit(host: string, cookie?: string): Promise<Visit> {
  const { bind, ports } = world.edge;
  const answer = await request({ address: bind, port: ports.http, host, ...(cookie !== undefined && { headers: { cookie } }) });
  if (answer.kind === 'error') throw new Error(answer.error);
  return {
    instance: answer.from.instance,
    status: answer.status,
    given: answer.headers['set-cookie']?.[0],
    seen: answer.from.headers?.['cookie'],
  };
}

const cookieIn = (given: string | undefined) => given?.split(';')[0] ?? '';

/** A client of each instance of a service, by the cookies that new clients are given. */
async function clientsOf(host: string, instances: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const cookies = new Map<string, string>();
  await until(
    async () => {
      const { instance, given } = await visit(host);
      if (instance !== undefined) cookies.set(instance, cookieIn(given));
      return instances.every((one) => cookies.has(one));
    },
    15_000,
    `each of ${instances.join(', ')} is given a client`,
  );
  return cookies;
}

async function whoAnswers(host: string, cookie: string | undefined, times = 5): Promise<Visit[]> {
  const visits: Visit[] = [];
  for (let i = 0; i < times; i += 1) visits.push(await visit(host, cookie));
  return visits;
}

/** A field of `show servers state` of an instance. */
async function fieldOf(group: string, id: string, field: string): Promise<string | undefined> {
  const lines = (await world.edge.ask(`show servers state ${group}`)).split('\n').map((line) => line.split(' '));
  const at = lines.find(([first]) => first === '#')?.indexOf(field) ?? 0;
  return lines.find(([, , , name]) => name?.startsWith(`${id}_`))?.[at - 1];
}

test('a client of a sticky service keeps its instance by a cookie that no script reads and no instance sees', async () => {
  for (const id of ['a', 'b', 'c']) await world.serve('shop', id, ['haproxy', 'haproxy_sticky']);
  const clients = await clientsOf('shop.service', ['a', 'b', 'c']);

  const first = await visit('shop.service');
  expect(first.given).toMatch(/^toots_shop=[0-9a-f]{16}; path=\/; HttpOnly; SameSite=Lax$/);
  for (const [instance, cookie] of clients)
    expect(await whoAnswers('shop.service', `${cookie}; mine=1`)).toEqual(
      Array(5).fill({ instance, status: 200, given: undefined, seen: 'mine=1' }),
    );
});

test('it keeps it while instances come and go without a reload, those that came at run time among them', async () => {
  const clients = await clientsOf('shop.service', ['a', 'b', 'c']);
  const worker = await world.edge.worker();

  const added = [
    await world.serve('shop', 'd', ['haproxy', 'haproxy_sticky']),
    await world.serve('shop', 'e', ['haproxy', 'haproxy_sticky']),
  ];
  const withNew = await clientsOf('shop.service', ['d', 'e']);

  for (const [instance, cookie] of [...clients, ...withNew])
    expect((await whoAnswers('shop.service', cookie)).map((one) => one.instance)).toEqual(Array(5).fill(instance));
  expect(await world.edge.worker()).toBe(worker);
  for (const one of added) await world.withdraw(one);
  await until(async () => !(await world.edge.ask('show servers state shop')).includes(' shop-e_'), 15_000, 'they are gone');
  const moved = await visit('shop.service', withNew.get('e'));
  expect(['a', 'b', 'c']).toContain(moved.instance);
  expect(cookieIn(moved.given)).toBe(clients.get(moved.instance ?? ''));
});

test('its cookie is the same after a restart of HAProxy and of the templater', async () => {
  const clients = await clientsOf('shop.service', ['a', 'b', 'c']);

  world.edge.templater().signal('SIGKILL');
  await world.edge.templater().ended;
  process.kill(await world.edge.master(), 'SIGKILL');
  await world.edge.start();
  await world.isAnswered('shop.service', /^shop\//);

  expect(await clientsOf('shop.service', ['a', 'b', 'c'])).toEqual(clients);
});

test('a dead instance costs its clients no request; they keep the next one', async () => {
  const dies = await world.serve('shop', 'dies', ['haproxy', 'haproxy_sticky']);
  const cookie = (await clientsOf('shop.service', ['dies'])).get('dies');

  await dies.instance.stop();
  const { status, instance, given } = await visit('shop.service', cookie);

  expect([status, cookieIn(given)]).toEqual([200, expect.stringMatching(/^toots_shop=[0-9a-f]{16}$/)]);
  expect((await whoAnswers('shop.service', cookieIn(given))).map((one) => one.instance)).toEqual(Array(5).fill(instance));
  await world.withdraw(dies);
});

test('an instance of weight 0 keeps its clients and gets no new ones', async () => {
  let one = await world.serve('split', 'canary', ['haproxy', 'haproxy_sticky']);
  await world.serve('split', 'stable', ['haproxy', 'haproxy_sticky']);
  const cookie = (await clientsOf('split.service', ['canary', 'stable'])).get('canary');

  one = await world.change(one, { tags: ['haproxy', 'haproxy_sticky', 'weight=0'] });
  await until(async () => (await fieldOf('split', one.registration.id, 'srv_uweight')) === '0', 15_000, 'it has weight 0');

  expect((await whoAnswers('split.service', undefined, 20)).map(({ instance }) => instance)).toEqual(Array(20).fill('stable'));
  expect((await whoAnswers('split.service', cookie)).map(({ instance }) => instance)).toEqual(Array(5).fill('canary'));
});

test('a client that got the canary keeps the canary, whichever instance of it, while new clients follow the weights', async () => {
  const tags = (weight: number) => ['haproxy', 'haproxy_sticky=variant', `weight=${weight}`];
  const [stable, canary] = [{ meta: { 'toots-variant': '/shop/stable' } }, { meta: { 'toots-variant': '/shop/canary' } }];
  for (const id of ['s1', 's2']) await world.serve('ab', id, tags(100), stable);
  let one = await world.serve('ab', 'c1', tags(100), canary);
  const two = await world.serve('ab', 'c2', tags(100), canary);
  const clients = await clientsOf('ab.service', ['s1', 'c1', 'c2']);
  const cookie = clients.get('c1');
  const asked = async (times = 40) => new Set((await whoAnswers('ab.service', cookie, times)).map(({ instance }) => instance));

  expect(cookie).toMatch(/^toots_ab=[0-9a-f]{12}$/);
  expect(clients.get('c2')).toBe(cookie);
  expect(clients.get('s1')).not.toBe(cookie);
  expect(await asked()).toEqual(new Set(['c1', 'c2']));
  expect((await visit('ab.service', cookie)).given).toBeUndefined();

  const worker = await world.edge.worker();
  await world.withdraw(two);
  one = await world.change(one, { tags: tags(0) });
  await world.serve('ab', 'c3', tags(0), canary);
  await until(
    async () => (await fieldOf('ab', 'ab-c3', 'srv_uweight')) === '0' && (await fieldOf('ab', one.registration.id, 'srv_uweight')) === '0',
    15_000,
    'both have weight 0',
  );
  await until(async () => (await asked()).has('c3'), 15_000, 'the new one is asked');
  expect(await asked()).toEqual(new Set(['c1', 'c3']));
  expect(new Set((await whoAnswers('ab.service', undefined, 20)).map(({ instance }) => instance))).toEqual(new Set(['s1', 's2']));
  expect(await world.edge.worker()).toBe(worker);
});

test('many instances that die at once, while Consul calls them passing, cost no GET, are passed over, and come back', async () => {
  const all: ServedInstance[] = [];
  for (let i = 0; i < 12; i += 1) all.push(await world.serve('herd', `i${i}`, ['haproxy']));
  await clientsOf(
    'herd.service',
    all.map(({ instance }) => instance.id),
  );
  const load = startLoad({ address: world.edge.bind, port: world.edge.ports.http, host: 'herd.service', clients: 6, pauseMs: 1 });
  await until(() => load.report().requests > 100, 15_000, 'there is load');

  const dead = all.slice(0, 6);
  await Promise.all(dead.map(({ instance }) => instance.stop()));
  const isDown = async ({ registration }: ServedInstance) => (await fieldOf('herd', registration.id, 'srv_op_state')) === '0';
  await until(async () => (await Promise.all(dead.map(isDown))).every(Boolean), 15_000, 'HAProxy knows that they are dead');
  for (const { instance } of dead)
    await world.fleet.add({ service: 'herd', id: instance.id, address: instance.address, port: instance.port });
  await until(async () => (await Promise.all(dead.map(isDown))).every((down) => !down), 15_000, 'they are back');

  const { failures, byInstance } = await load.stop();
  expect(failures).toEqual({});
  expect(Object.keys(byInstance)).toHaveLength(12);
});

test('the only instance is asked for until it is back, without a change in Consul', async () => {
  const { instance } = await world.serve('only', 'a', ['haproxy']);
  await world.isAnswered('only.service', 'only/a');

  await instance.stop();
  await world.isAnswered('only.service', '503');
  await world.fleet.add({ service: 'only', id: 'a', address: instance.address, port: instance.port });

  await world.isAnswered('only.service', 'only/a');
});

test('hashes of passwords are in no answer of the API, and in no file that others may read', async () => {
  const hash = '$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA';
  await world.serve('safe', 'a', ['haproxy', `haproxy_auth=bob:${hash}`, `haproxy_aut=bob:${hash}`]);
  await world.isAnswered('safe.service', '401');

  const { bind, ports } = world.edge;
  const answers = await Promise.all(
    ['/status', '/metrics', '/explain?service=safe', '/explain?host=safe.service&path=/'].map(async (path) =>
      (await fetch(`http://${bind}:${ports.api}${path}`)).text(),
    ),
  );
  expect(answers.filter((text) => text.includes('0IyaXrm'))).toEqual([]);
  expect(answers[2]).toContain('haproxy_auth=(not shown)');
  expect(world.edge.templater().output()).not.toContain('0IyaXrm');
});

test('services open the TCP ports that the edge lets them, and no other', async () => {
  const [open, closed] = [await freePort(), await freePort()];
  await using own = await startEdgeWorld({ args: ['-tcp-ports', `${open}`] });
  await own.serve('line', 'a', [`haproxy_tcp=${open}`, `haproxy_tcp=${closed}`]);
  const { bind: address } = own.edge;
  await until(async () => (await request({ address, port: open, host: 'any' })).kind === 'answer', 15_000, 'the port is served');

  expect((await request({ address, port: closed, host: 'any' })).kind).toBe('error');
  const problems = (await own.edge.status()).problems.map((problem) => JSON.stringify(problem));
  expect(problems.filter((text) => text.includes('-tcp-ports'))).toEqual([expect.stringContaining(`${closed}`)]);
}, 60_000);
