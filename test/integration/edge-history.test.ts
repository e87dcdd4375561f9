import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type EdgeWorld, startEdgeWorld } from '../harness/edge-world.ts';
import { startToots } from '../harness/program.ts';
import { until } from '../harness/until.ts';

jest.setTimeout(90_000);

let world: EdgeWorld;

beforeAll(async () => {
  world = await startEdgeWorld();
}, 120_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

interface Generations {
  readonly pinned: number | null;
  readonly generations: readonly {
    readonly number: number;
    readonly did: string;
    readonly why: readonly string[];
    readonly commands: number;
  }[];
}

const api = () => `${world.edge.bind}:${world.edge.ports.api}`;

/** A `toots` command about this edge: its exit code and what it wrote. */
async function toots(...words: readonly string[]): Promise<{ code: number | NodeJS.Signals; output: string }> {
  await using program = await startToots([...words, '-api', api()]);
  return { code: await program.ended, output: program.output() };
}

const history = async () => JSON.parse((await toots('history', '-json')).output) as Generations;
const newest = async () => (await history()).generations.at(-1)?.number ?? 0;

test('each change is a generation with its cause, its commands and what it changed; two are compared', async () => {
  await world.serve('web', 'a', ['haproxy', 'haproxy_route=/old']);
  await world.isAnswered('web.service', 'web/a');
  const before = await newest();
  const followed = () => world.edge.metric('toots_edge_propagation_seconds_count');
  const followedBefore = await followed();
  const second = await world.serve('web', 'b', ['haproxy', 'haproxy_route=/old', 'weight=7']);
  await world.isAnswered('web.service', 'web/b');
  const after = await until(async () => ((await newest()) > before ? newest() : undefined), 10_000, 'it is written');

  expect(await followed()).toBeGreaterThan(followedBefore);
  const { generations } = await history();
  expect(generations.map(({ number }) => number)).toEqual(generations.map((_, i) => i + 1));
  expect(generations.at(-1)).toMatchObject({ did: 'runtime', why: [expect.stringContaining('web')] });
  const one = await toots('history', String(after));
  expect(one.code).toBe(0);
  expect(one.output).toMatch(/^ {2}\+ instance web\/web-b_\S+ at .*, weight 7, at most 128 connections$/m);
  expect(one.output).toMatch(/^ {2}add server web\/web-b_\S+ .*: New server registered\.?$/m);
  const { code, output } = await toots('diff', String(after), String(before));
  expect(code).toBe(1);
  expect(output).toMatch(/^- instance web\/web-b_\S+ at .*\n$/);
  expect(await toots('diff', String(after), String(after))).toMatchObject({ code: 0 });
  await world.withdraw(second);
});

test('a rollback gives back rules and weights to the instances that live, survives a restart, and ends with a release', async () => {
  const mark = await newest();
  const first = await world.serve('shop', 'a', ['haproxy', 'haproxy_route=/shop', 'weight=50']);
  await world.isAnswered('shop.service', 'shop/a');
  const good = await until(async () => ((await newest()) > mark ? newest() : undefined), 10_000, 'it is written');
  await world.change(first, { tags: ['haproxy', 'haproxy_route=/broken', 'weight=1'] });
  await until(async () => (await world.who('any.invalid', '/broken')) === 'shop/a', 15_000, 'the change is served');
  await world.serve('late', 'a', ['haproxy']);
  await world.isAnswered('late.service', 'late/a');

  expect(await toots('rollback', String(good))).toMatchObject({ code: 0, output: expect.stringContaining('toots release') });

  await until(async () => (await world.who('any.invalid', '/shop')) === 'shop/a', 15_000, 'the rule is back');
  expect(await world.who('any.invalid', '/broken')).toBe('503');
  await world.isAnswered('late.service', '503');
  expect(await world.edge.ask('show servers state shop')).toMatch(/ shop-a_\S+ \S+ 2 0 50 /);
  expect((await history()).pinned).toBe(good);
  expect(await world.edge.status()).toMatchObject({ pinned: { generation: good } });
  expect(await world.edge.metric('toots_edge_pinned_generation')).toBe(good);
  expect((await toots('explain', 'shop')).output).toContain(`pinned to generation ${good}`);

  await world.edge.templater().stop();
  await world.edge.start();
  await until(() => world.edge.status(), 15_000, 'it is back');
  await world.serve('shop', 'b', ['haproxy']);
  await world.isAnswered('shop.service', 'shop/b', 15_000);
  expect(await world.who('any.invalid', '/broken')).toBe('503');

  expect(await toots('release')).toMatchObject({ code: 0, output: expect.stringContaining(`generation ${good}`) });
  await until(async () => /^shop\//.test(await world.who('any.invalid', '/broken')), 15_000, 'Consul is followed again');
  await world.isAnswered('late.service', 'late/a');
});

test('a pin that cannot be read is a problem, and the edge stays what it was until it is released', async () => {
  const mark = await newest();
  const one = await world.serve('held', 'a', ['haproxy', 'haproxy_route=/held']);
  await world.isAnswered('held.service', 'held/a');
  const good = await until(async () => ((await newest()) > mark ? newest() : undefined), 10_000, 'it is written');
  expect(await toots('rollback', String(good))).toMatchObject({ code: 0 });
  await world.change(one, { tags: ['haproxy', 'haproxy_route=/broken'] });
  await world.edge.templater().stop();

  await writeFile(join(world.edge.runDir, 'pin.json'), '{"generation":');
  await world.edge.start();
  const isNamed = async () => (await world.edge.status()).problems.some(({ option }) => option === 'pin');
  await until(isNamed, 15_000, 'the pin is named');
  await world.serve('held', 'b', ['haproxy']);
  await world.isAnswered('held.service', 'held/b', 15_000);
  expect(await world.who('any.invalid', '/held')).toMatch(/^held\//);
  expect(await world.who('any.invalid', '/broken')).not.toMatch(/^held\//);

  expect(await toots('release')).toMatchObject({ code: 0, output: expect.stringContaining('generation') });
  await until(async () => /^held\//.test(await world.who('any.invalid', '/broken')), 15_000, 'Consul is followed again');
  expect(await isNamed()).toBe(false);
});

test('what is no generation is refused, what is not kept is named', async () => {
  expect(await toots('rollback', 'x')).toMatchObject({ code: 2, output: expect.stringContaining('"x" is no generation') });
  expect(await toots('rollback', '99999')).toMatchObject({ code: 1, output: expect.stringContaining('generation 99999 is not kept') });
});

test('a second templater leaves a run directory alone that another has, and takes it when that one was killed', async () => {
  const owner = world.edge.templater();

  await world.edge.start();
  const second = world.edge.templater();

  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(`process ${owner.pid}`);
  expect(owner.hasEnded()).toBe(false);
  owner.signal('SIGKILL');
  await owner.ended;
  await world.edge.start();
  await until(() => world.edge.status(), 15_000, 'the next one has it');
  expect(world.edge.templater().hasEnded()).toBe(false);
});
