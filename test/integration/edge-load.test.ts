import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type EdgeWorld, type ServedInstance, startEdgeWorld } from '../harness/edge-world.ts';
import { freePort } from '../harness/free-port.ts';
import { type Load, startLoad } from '../harness/load.ts';
import { openTalk, type Talk } from '../harness/talk.ts';
import { until } from '../harness/until.ts';

jest.setTimeout(120_000);

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

test('a hundred changes of instances cost no request and no reload', async () => {
  await using under = load();
  const before = await worker();

  let newest: ServedInstance | undefined;
  for (let i = 0; i < 50; i += 1) {
    const added = await world.serve('web', `i${i}`, ['haproxy', `weight=${50 + i}`]);
    if (newest !== undefined) await world.withdraw(newest);
    newest = added;
  }
  await until(() => isInHaproxy('web-i49'), 15_000, 'the last one is there');
  await until(async () => !(await isInHaproxy('web-i48')), 15_000, 'those before are gone');
  await until(() => under.report().byInstance['i49'], 15_000, 'the last one is asked');

  expect(await worker()).toBe(before);
  await expectNoFailure(under);
});

test('twenty new services, one after the other, cost no request', async () => {
  await using under = load();

  for (let i = 0; i < 20; i += 1) {
    await world.serve(`new-${i}`, 'a', ['haproxy']);
    await world.isAnswered(`new-${i}.service`, `new-${i}/a`, 15_000);
  }

  await expectNoFailure(under);
});

test('an instance that is killed, while Consul still calls it passing, costs no GET', async () => {
  const victims = await Promise.all(['x', 'y'].map((id) => world.serve('web', id, ['haproxy'])));
  await using under = load();
  await until(() => under.report().byInstance['x'] && under.report().byInstance['y'], 15_000, 'both are asked');

  for (const { instance } of victims) await instance.stop();
  const at = under.report().requests;
  await until(() => under.report().requests > at + 300, 30_000, 'requests afterwards');

  await expectNoFailure(under);
  for (const victim of victims) await world.withdraw(victim);
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

test('a check of Consul that flaps costs no request and no reload', async () => {
  let flapping = await world.serve('web', 'flaps', ['haproxy']);
  await using under = load();
  const before = await worker();

  for (let i = 0; i < 40; i += 1) flapping = await world.change(flapping, { health: i % 2 === 0 ? 'critical' : 'passing' });
  await until(() => isInHaproxy('web-flaps'), 15_000, 'it is there in the end');

  expect(await worker()).toBe(before);
  await expectNoFailure(under);
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
