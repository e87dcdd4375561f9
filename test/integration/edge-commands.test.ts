import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type EdgeWorld, startEdgeWorld } from '../harness/edge-world.ts';
import { freePort } from '../harness/free-port.ts';
import { startToots } from '../harness/program.ts';
import { until } from '../harness/until.ts';

jest.setTimeout(90_000);

let world: EdgeWorld;

beforeAll(async () => {
  world = await startEdgeWorld();
  await world.serve('web', 'a', ['haproxy', 'haproxy_route=/web']);
  await world.isAnswered('web.service', 'web/a');
}, 120_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

async function toots(...words: readonly string[]): Promise<{ code: number | NodeJS.Signals; output: string }> {
  await using program = await startToots(words);
  return { code: await program.ended, output: program.output() };
}

test('a dry run says what would be told to HAProxy and why it would be reloaded, and does none of it', async () => {
  const config = () => readFile(join(world.edge.runDir, 'haproxy.cfg'), 'utf8');
  await until(async () => (await toots(...world.edge.args, '-dry-run')).code === 0, 15_000, 'there is nothing to do');
  await world.edge.templater().stop();
  const [worker, before, port] = [await world.edge.worker(), await config(), await freePort()];
  await world.serve('web', 'b', ['haproxy', 'haproxy_route=/web', 'weight=7']);
  await world.serve('db', 'a', [`haproxy_tcp=${port}`, 'haproxy_balance=wrong'], { kind: 'tcp' });

  const { code, output } = await toots(...world.edge.args, '-dry-run');

  expect(code).toBe(2);
  expect(output).toMatch(/^ {2}add web\/web-b_\S+, weight 7$/m);
  expect(output).toMatch(/^ {2}tcp:db is new$/m);
  expect(output).toMatch(new RegExp(`^ {2}TCP port ${port} opens for tcp:db$`, 'm'));
  expect(output).toMatch(/^ {2}db: haproxy_balance: "wrong": /m);
  expect([await world.edge.worker(), await config()]).toEqual([worker, before]);
  expect(await world.edge.ask('show servers state web')).not.toContain('web-b_');

  await world.edge.start();
  await world.isAnswered('web.service', 'web/b');
});

test('shares that are set by hand count at the next request, whatever the number of instances, until they are cleared', async () => {
  for (const id of ['s1', 's2', 's3'])
    await world.serve('python', id, ['haproxy', 'weight=5'], { meta: { 'toots-variant': '/shop/stable' } });
  await world.serve('python', 'c1', ['haproxy', 'weight=5'], { meta: { 'toots-variant': '/shop/canary' } });
  await world.isAnswered('python.service', /^python\//);
  const weights = async () => {
    const lines = (await world.edge.ask('show servers state python')).split('\n').filter((line) => line.includes(' python '));
    return lines
      .map((line) => line.split(' '))
      .map((fields) => `${String(fields[3]).replace(/_.*/, '')} ${fields[7]}`)
      .sort();
  };
  const consul = ['--consul', world.consul.url];

  expect(await toots('weight', 'python', 'stable=25', 'canary=75', ...consul)).toMatchObject({ code: 0 });
  await until(async () => (await weights()).includes('python-c1 256'), 10_000, 'the canary has its share');
  expect(await weights()).toEqual(['python-c1 256', 'python-s1 29', 'python-s2 28', 'python-s3 28']);
  const asked = await Promise.all(Array.from({ length: 40 }, () => world.who('python.service')));
  expect(asked.filter((who) => who === 'python/c1').length).toBeGreaterThan(20);

  expect(await toots('weight', 'python', 'beta=5', ...consul)).toMatchObject({ code: 2, output: expect.stringContaining('no variant') });
  expect(await toots('weight', 'python', 'stable=1', 'stable=2', ...consul)).toMatchObject({
    code: 2,
    output: expect.stringContaining('stable has several shares'),
  });
  expect(await toots('weight', 'python', '-clear', ...consul)).toMatchObject({ code: 0 });
  await until(async () => (await weights()).every((line) => line.endsWith(' 5')), 10_000, 'the tags count again');
});

test('explain says which rule takes a request, who answers it, and why an instance does not', async () => {
  const sick = await world.serve('web', 'sick', ['haproxy', 'haproxy_route=/web'], { health: 'critical' });
  await until(async () => (await explained('web')).output.includes('web-sick'), 15_000, 'the edge knows it');

  expect(await explained('any.host/web/x')).toMatchObject({ code: 0, output: expect.stringMatching(/path[\s\S]*web-a/) });
  expect(await explained('web.service')).toMatchObject({ code: 0, output: expect.stringContaining('host') });
  const service = await explained('web');
  expect(service.output).toMatch(/web-sick.*critical/);
  expect(service.output).toContain('haproxy_route=/web');

  await sick.instance.stop();
  await world.change(sick, { health: 'passing' });
  const isFoundDead = async () => {
    await world.ask('web.service');
    return /web-sick.*cannot connect/.test((await explained('web')).output);
  };
  await until(isFoundDead, 15_000, 'it is found dead');
  expect(await explained('nobody.test')).toMatchObject({ code: 1 });
  const dotted = await world.serve('web.v2', 'a', ['haproxy']);
  await until(async () => /^web\.v2: 1 of 1/.test((await explained('web.v2')).output), 15_000, 'a service with a dot in its name is told');
  await world.withdraw(dotted);
  await world.withdraw(sick);
});

const explained = (what: string) => toots('explain', what, '-api', `${world.edge.bind}:${world.edge.ports.api}`);
