import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createDockerEngine, type DockerEngine, defaultDockerUrl } from '../../registrator/docker-engine.ts';
import { type DockerDouble, startDockerDouble } from '../harness/docker-double.ts';
import type { InspectedContainer } from '../harness/inspection.ts';
import { until } from '../harness/until.ts';

let double: DockerDouble;
let engine: DockerEngine;
const { signal } = new AbortController();

beforeEach(async () => {
  double = await startDockerDouble();
  engine = createDockerEngine(double.url, { keepsInspection: false });
});
afterEach(async () => {
  jest.useRealTimers();
  await double[Symbol.asyncDispose]();
});

test.each<[string, (engine: DockerEngine) => Promise<unknown>]>([
  ['ping', (asked) => asked.ping(signal)],
  ['list', (asked) => asked.list(false, signal)],
  ['inspect', (asked) => asked.inspect('a', signal)],
  ['events', (asked) => asked.events(signal)],
])('an engine that is there and does not answer is lost after ten seconds: %s', async (_, ask) => {
  double.goSilent();
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
  const asked = ask(engine).catch((error: unknown) => error);

  await jest.advanceTimersByTimeAsync(10_000);

  expect(await asked).toMatchObject({ message: expect.stringContaining('no answer within 10000 ms') });
});

test.each<[string, InspectedContainer]>([
  ['its health', { health: 'unhealthy' }],
  ['its name', { name: 'another' }],
  ['its state', { state: 'paused' }],
])('the list tells that %s has changed', async (_, change) => {
  const fingerprint = async () => (await engine.list(false, signal)).map((listed) => listed.fingerprint)[0];
  double.put('a', { name: 'web1', health: 'healthy' });
  const before = await fingerprint();
  expect(await fingerprint()).toBe(before);

  double.put('a', change);

  expect(await fingerprint()).not.toBe(before);
});

test('what is put is inspected, what is not is unknown', async () => {
  double.put('a', { name: 'web1' });

  expect(await engine.inspect('a', signal)).toMatchObject({ id: 'a', name: 'web1' });
  expect(await engine.inspect('b', signal)).toBeUndefined();
});

test('events come as they are told', async () => {
  const seen: string[] = [];
  const events = await engine.events(signal);
  void (async () => {
    for await (const { action, container } of events) seen.push(`${action} ${container}`);
  })().catch(() => undefined);

  double.start('a', { name: 'web1' });

  await until(() => seen.length > 0, 5_000, 'it is told');
  expect(seen).toEqual(['start a']);
});

test.each([
  [['/var/run/docker.sock', '/tmp/docker.sock'], 'unix:///var/run/docker.sock'],
  [['/tmp/docker.sock'], 'unix:///tmp/docker.sock'],
  [[], 'unix:///var/run/docker.sock'],
])('without DOCKER_HOST, where there is %j: %s', (there, url) => {
  expect(defaultDockerUrl((path) => there.includes(path))).toBe(url);
});
