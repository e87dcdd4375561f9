import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type EdgeWorld, type ServedInstance, startEdgeWorld } from '../harness/edge-world.ts';
import { freePort } from '../harness/free-port.ts';
import { type Load, startLoad } from '../harness/load.ts';
import { startProcessInstance } from '../harness/process-instance.ts';
import { deregister, register } from '../harness/registered.ts';
import { openTalk, type Talk } from '../harness/talk.ts';
import { until } from '../harness/until.ts';

/**
 * As the issue of the edge asks for it: TOOTS_TEST_EDGE_LONG=1. Nothing here depends on how long or how often.
 * `changes` of instances; `reloads` at keep-alive load; instances that are `killed`; how long a check flaps, milliseconds.
 */
const { changes, reloads, killed, flapsMs } =
  process.env['TOOTS_TEST_EDGE_LONG'] === undefined
    ? { changes: 100, reloads: 6, killed: 3, flapsMs: 1_500 }
    : { changes: 1_000, reloads: 20, killed: 20, flapsMs: 30_000 };
/** Rounds and commands that an edge may take besides those that were asked for: it looks for drift every 5 s, and removes what lingers. */
const OWN_ROUNDS_A_SECOND = 3;

jest.setTimeout(300_000);

let world: EdgeWorld;
/** Stays open through everything that the tests of this file do. */
let talk: Talk;

beforeAll(async () => {
  const port = await freePort();
  world = await startEdgeWorld();
  await world.serve('web', 'stays', ['haproxy']);
  await world.serve('db', 'stays', [`haproxy_tcp=${port}`], { kind: 'tcp' });
  await world.isAnswered('web.service', 'web/stays');
  talk = await until(() => openTalk({ address: world.edge.bind, port }), 15_000, 'the TCP port opens');
}, 120_000);

afterAll(async () => {
  talk?.close();
  await world?.[Symbol.asyncDispose]();
});

/** Another one after a reload. */
const worker = () => world.edge.worker();

function load(): Load {
  return startLoad({ address: world.edge.bind, port: world.edge.ports.http, host: 'web.service', clients: 6, pauseMs: 1 });
}

/** Ends the load; it did something, and nothing of it failed. */
async function expectNoFailure(under: Load, least = 10): Promise<void> {
  const { requests, failures } = await under.stop();
  expect(failures).toEqual({});
  expect(requests).toBeGreaterThan(least);
}

const isInHaproxy = async (name: string) => (await world.edge.ask('show servers state web')).includes(` ${name}_`);

test(`${changes} changes of instances cost no request and no reload`, async () => {
  await using under = load();
  const [before, reloadsBefore] = [await worker(), await world.edge.metric('toots_edge_reloads_total')];
  const last = `i${changes / 2 - 1}`;

  let newest: ServedInstance | undefined;
  for (let i = 0; i < changes / 2; i += 1) {
    const added = await world.serve('web', `i${i}`, ['haproxy', `weight=${50 + (i % 200)}`]);
    if (newest !== undefined) await world.withdraw(newest);
    newest = added;
  }
  await until(() => isInHaproxy(`web-${last}`), 15_000, 'the last one is there');
  await until(async () => !(await isInHaproxy(`web-i${changes / 2 - 2}`)), 15_000, 'those before are gone');
  await until(() => under.report().byInstance[last], 15_000, 'the last one is asked');
  await until(() => under.report().requests > changes, 15_000, 'there was load enough, on a busy machine too');

  expect(await worker()).toBe(before);
  expect(await world.edge.metric('toots_edge_reloads_total')).toBe(reloadsBefore);
  await expectNoFailure(under, changes);
});

test(`${reloads} new services with a check, one after the other, are ${reloads} reloads and cost no request`, async () => {
  await using under = load();
  const before = await world.edge.metric('toots_edge_reloads_total');

  for (let i = 0; i < reloads; i += 1) {
    await world.serve(`new-${i}`, 'a', ['haproxy', 'haproxy_httpchk=/']);
    await world.isAnswered(`new-${i}.service`, `new-${i}/a`, 30_000);
  }

  const counted = async () => (await world.edge.metric('toots_edge_reloads_total')) - before;
  await until(async () => (await counted()) >= reloads, 15_000, 'the last one is counted, which may be after its answer');
  expect(await counted()).toBe(reloads);
  await expectNoFailure(under);
});

test('instances that are killed with KILL, one after the other, while Consul still calls them passing, cost no GET', async () => {
  const all = await Promise.all(Array.from({ length: killed }, (_, i) => startProcessInstance('web', `k${i}`)));
  try {
    for (const { id, port } of all) {
      await register(world.consul, { service: 'web', id: `web-${id}`, tags: ['haproxy'], address: '127.0.0.1', port });
    }
    await using under = load();
    await until(() => all.every(({ id }) => under.report().byInstance[id]), 30_000, 'all are asked');

    for (const { kill } of all) {
      await kill();
      const at = under.report().requests;
      await until(() => under.report().requests > at + 100, 30_000, 'requests afterwards');
    }

    await expectNoFailure(under);
  } finally {
    for (const { id } of all) await deregister(world.consul, { id: `web-${id}` });
    await Promise.all(all.map((one) => one.kill()));
  }
});

test('a rolling replacement of twenty instances, each drained, costs no request and no reload', async () => {
  const old = await Promise.all(Array.from({ length: 20 }, (_, i) => world.serve('web', `old${i}`, ['haproxy'])));
  await until(() => isInHaproxy('web-old19'), 15_000, 'the old ones are there');
  await using under = load();
  const before = await worker();

  for (const [i, { instance, registration }] of old.entries()) {
    await world.serve('web', `new${i}`, ['haproxy']);
    await world.withdraw({ instance, registration });
    await until(async () => !(await isInHaproxy(registration.id)), 15_000, `${registration.id} is drained`);
    await instance.stop();
  }
  const asked = Object.keys(under.report().byInstance);
  await until(() => under.report().byInstance['new19'], 15_000, 'the new ones are asked');

  expect(asked.filter((id) => id.startsWith('old')).length).toBeGreaterThan(10);
  expect(await worker()).toBe(before);
  await expectNoFailure(under);
});

test(`a check of Consul that flaps for ${flapsMs / 1_000} s costs no request, no reload, and no more work than it flaps`, async () => {
  let flapping = await world.serve('web', 'flaps', ['haproxy']);
  await until(() => isInHaproxy('web-flaps'), 15_000, 'it is there');
  await using under = load();
  const before = await worker();
  const work = async () => ({
    rounds: await world.edge.metric('toots_edge_rounds_total'),
    commands: await world.edge.metric('toots_edge_runtime_commands_total'),
  });
  const [from, start] = [await work(), performance.now()];

  let changed = 0;
  while (performance.now() - start < flapsMs || changed % 2 === 1) {
    flapping = await world.change(flapping, { health: changed % 2 === 0 ? 'critical' : 'passing' });
    changed += 1;
  }
  await until(() => isInHaproxy('web-flaps'), 15_000, 'it is there in the end');

  const [to, seconds] = [await work(), (performance.now() - start) / 1_000];
  // A registration is three writes: each may be seen by itself.
  const most = 3 * changed + OWN_ROUNDS_A_SECOND * seconds;
  expect(to.rounds - from.rounds).toBeLessThanOrEqual(most);
  expect(to.commands - from.commands).toBeLessThanOrEqual(3 * most);
  expect(to.rounds - from.rounds).toBeGreaterThan(2);
  expect(await worker()).toBe(before);
  await expectNoFailure(under);
});

test('what active checks have found goes on over a reload: an instance that failed them gets no request', async () => {
  const tags = ['haproxy', 'haproxy_httpchk=/alive'];
  const bad = await world.serve('judged', 'bad', tags);
  await world.serve('judged', 'good', tags);
  await world.isAnswered('judged.service', /^judged\//);
  bad.instance.does = { '/alive': 500 };
  const isDown = async () => / judged-bad_\S+ \S+ 0 /.test(await world.edge.ask('show servers state judged'));
  await until(isDown, 20_000, 'its check has failed');
  const before = await worker();

  await world.serve('reloads', 'a', ['haproxy', 'haproxy_httpchk=/']);
  await until(async () => (await worker()) !== before, 20_000, 'HAProxy is reloaded');

  expect(await isDown()).toBe(true);
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => world.who('judged.service'))))).toEqual(new Set(['judged/good']));
});

test('a TCP connection has survived all of this', async () => {
  expect(talk.isOpen()).toBe(true);
  expect(await talk.who()).toBe('db/stays');
});

test('workers of earlier configurations are counted, and few', async () => {
  const old =
    /# old workers\n([\s\S]*?)# programs/.exec(await until(() => world.edge.askMaster('show proc'), 15_000, 'the master answers'))?.[1] ??
    '';

  expect(old.split('\n').filter((line) => line.includes('worker')).length).toBeLessThanOrEqual(6);
});
