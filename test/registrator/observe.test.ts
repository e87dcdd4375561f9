import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { Registered } from '../../consul/registration.ts';
import { createLog } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import type { DockerEngine } from '../../registrator/docker-engine.ts';
import type { DockerEvent } from '../../registrator/docker-event.ts';
import { createHost } from '../../registrator/host.ts';
import { createRegistratorMetrics } from '../../registrator/metrics.ts';
import { observe } from '../../registrator/observe.ts';
import { NOTHING_ASKED } from '../../registrator/web-answers.ts';
import type { InspectedContainer } from '../harness/inspection.ts';
import { aContainer, NEAR, POLICY } from './a-container.ts';

const NOW = Date.parse('2026-02-01T00:00:00Z');
let stop: AbortController;

beforeEach(() => {
  stop = new AbortController();
  jest.useFakeTimers({ now: NOW });
});
afterEach(() => {
  stop.abort();
  jest.useRealTimers();
});

/** A host that follows an engine: `faults` are what it does not do, `registered` what Consul has of its containers. Times are of fake timers. */
function aWorld({ registered = [] }: { registered?: readonly Partial<Registered>[] } = {}) {
  const containers = new Map<string, InspectedContainer>();
  const faults = new Set<'events' | 'ping' | 'inspect'>();
  /** When each was asked, milliseconds from the start. */
  const asked = { events: [] as number[], inspect: [] as number[], pastSince: [] as number[] };
  const past: DockerEvent[] = [];
  let tell: (event: DockerEvent) => void = () => {};
  const at = () => Date.now() - NOW;
  const orFail = <Value>(what: 'events' | 'ping' | 'inspect', value: () => Value): Promise<Value> =>
    faults.has(what) ? Promise.reject(new OperationError(what, { subject: 'engine', hint: 'no answer' })) : Promise.resolve(value());
  async function* stream(signal: AbortSignal): AsyncGenerator<DockerEvent> {
    const queue: DockerEvent[] = [];
    let ring: () => void = () => {};
    tell = (event) => {
      queue.push(event);
      ring();
    };
    while (!signal.aborted) {
      for (const event of queue.splice(0)) yield event;
      await new Promise<void>((resolve) => {
        ring = resolve;
        signal.addEventListener('abort', () => resolve());
      });
    }
  }
  const engine: DockerEngine = {
    subject: 'engine',
    id: async () => 'engine-1',
    ping: () => orFail('ping', () => undefined),
    list: async () =>
      [...containers].map(([id, { name = id, health, state }]) => ({
        id,
        fingerprint: JSON.stringify([name, health, state]),
        names: [name],
        isPaused: state === 'paused',
        ...(health !== undefined && { health }),
      })),
    inspect: (id) => {
      asked.inspect.push(at());
      const given = containers.get(id);
      return orFail('inspect', () => (given === undefined ? undefined : aContainer({ id, name: id, ...given })));
    },
    imageName: async () => 'now-another',
    events: (signal) => {
      asked.events.push(at());
      return orFail('events', () => stream(signal));
    },
    pastEvents: async (sinceMs) => {
      asked.pastSince.push(sinceMs);
      return past.filter(({ atMs }) => atMs >= sinceMs);
    },
  };
  const host = createHost({ ...POLICY, deregister: 'always', register: 'started' }, () => {});
  host.setAgent({ address: NEAR.agentAddress, otherAddresses: {}, abilities: NEAR.abilities });
  const observation = observe(
    {
      engine,
      host,
      includesEnded: false,
      log: createLog('test', 'silent'),
      metrics: createRegistratorMetrics(new Registry()),
      onProblems: () => {},
      registeredOf: async () => registered as readonly Registered[],
      askWeb: async () => NOTHING_ASKED,
    },
    stop.signal,
  );
  void observation.run();
  const passes = (ms: number) => jest.advanceTimersByTimeAsync(ms);
  const isStopped = (container: string, signal = 15): DockerEvent => ({
    kind: 'killed',
    action: 'kill',
    container,
    signal,
    atMs: Date.now(),
  });
  return { containers, faults, asked, past, host, observation, passes, isStopped, tell: (event: DockerEvent) => tell(event) };
}

const gaps = (times: readonly number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

test('an event stream that says nothing and does not end: the engine is asked whether it lives, and followed anew when it does not answer', async () => {
  const world = aWorld();
  await world.passes(9_000);
  world.faults.add('ping');
  world.containers.set('a', {});

  await world.passes(2_000);
  expect(world.asked.events).toHaveLength(2);
  expect(world.host.phase('a')).toEqual({ kind: 'up' });
});

test('an engine that answers is not followed anew', async () => {
  const world = aWorld();

  await world.passes(60_000);

  expect(world.asked.events).toHaveLength(1);
});

test('an engine that is away is tried again every two seconds at least, however long that takes', async () => {
  const world = aWorld();
  world.faults.add('events');
  await world.passes(60_000);
  const tries = world.asked.events.length;

  expect(Math.max(...gaps(world.asked.events))).toBeLessThanOrEqual(2_000);
  expect(tries).toBeLessThan(80);
  expect(world.observation.lost()).toContain('no answer');
  world.faults.clear();
  await world.passes(2_000);
  expect(world.observation.lost()).toBeUndefined();
});

test('a container that cannot be inspected is tried again every two seconds at least', async () => {
  const world = aWorld();
  world.containers.set('a', {});
  world.faults.add('inspect');
  await world.passes(60_000);

  expect(Math.max(...gaps(world.asked.inspect))).toBeLessThanOrEqual(2_000);
  expect(world.asked.inspect.length).toBeLessThan(80);
  expect([...world.observation.failing().keys()]).toEqual(['a']);
  world.faults.clear();
  await world.passes(2_000);
  expect(world.host.phase('a')).toEqual({ kind: 'up' });
  expect(world.observation.failing().size).toBe(0);
});

test('a container that cannot be described has a sentence for a reason', async () => {
  const world = aWorld();
  world.containers.set('a', { created: 'never' });
  Object.assign(world.host, {
    learn: () => {
      throw new TypeError("Cannot read properties of undefined (reading 'x')");
    },
  });
  await world.passes(0);

  expect(world.observation.failing().get('a')).toMatch(/^it cannot be described, which is a fault of this program: Cannot read properties/);
});

test('who is told to stop and goes on is looked at again when its time is over, and served again', async () => {
  const world = aWorld();
  world.containers.set('a', { stopTimeout: 5 });
  await world.passes(0);

  world.tell(world.isStopped('a'));
  await world.passes(6_900);
  expect(world.host.phase('a')).toMatchObject({ kind: 'draining' });
  expect(world.asked.inspect).toHaveLength(1);

  await world.passes(200);
  expect(world.host.phase('a')).toEqual({ kind: 'up' });
});

test('the same where the stop was under way when it was first inspected', async () => {
  const world = aWorld();
  world.containers.set('a', { stopTimeout: 5 });
  world.host.learn('a', { kind: 'killed', signal: 15, sentMs: NOW, heardMs: NOW });
  await world.passes(6_900);
  expect(world.host.phase('a')).toMatchObject({ kind: 'draining' });

  await world.passes(200);
  expect(world.host.phase('a')).toEqual({ kind: 'up' });
});

test('a stop that may take weeks is no reason to look again and again', async () => {
  const world = aWorld();
  world.containers.set('a', { stopTimeout: 30 * 86_400 });
  await world.passes(0);

  world.tell(world.isStopped('a'));
  await world.passes(10_000);

  expect(world.asked.inspect).toHaveLength(1);
});

test('a stop signal that was sent while nobody listened is asked for, from the last event on', async () => {
  const world = aWorld();
  world.containers.set('a', { stopTimeout: 60 });
  await world.passes(1_000);
  world.tell({ kind: 'changed', action: 'start', container: 'a', atMs: NOW + 500 });
  await world.passes(8_000);

  world.faults.add('ping');
  world.past.push({ ...world.isStopped('a'), atMs: NOW + 9_000 });
  await world.passes(2_000);

  expect(world.asked.pastSince).toEqual([1_000, NOW + 500]);
  expect(world.host.phase('a')).toMatchObject({ kind: 'draining', sent: { signal: 15 } });
});

test('a resync inspects what the list tells differently, and nothing else', async () => {
  const world = aWorld();
  world.containers.set('a', { health: 'healthy' });
  world.containers.set('b', { health: 'healthy' });
  await world.passes(0);
  expect(world.asked.inspect).toHaveLength(2);

  world.containers.set('a', { health: 'unhealthy' });
  await world.observation.resync();
  await world.passes(0);

  expect(world.asked.inspect).toHaveLength(3);
  expect(world.host.container('a')?.state.health).toBe('unhealthy');
});

test.each<[string, InspectedContainer, number]>([
  ['its health', { health: 'unhealthy' }, 2],
  ['its name', { health: 'healthy', name: 'b' }, 2],
  ['a pause', { health: 'healthy', state: 'paused' }, 2],
  ['nothing', { health: 'healthy' }, 1],
])('what is lost of a container before the first list that has it: %s', async (_, change, inspections) => {
  const world = aWorld();
  await world.passes(0);
  world.containers.set('a', { health: 'healthy' });
  world.tell({ kind: 'changed', action: 'start', container: 'a', atMs: NOW });
  await world.passes(0);
  expect(world.asked.inspect).toHaveLength(1);

  world.containers.set('a', change);
  await world.observation.resync();
  await world.passes(0);

  expect(world.asked.inspect).toHaveLength(inspections);
});

const BARE = { image: 'e'.repeat(12) };

test.each([
  ['it keeps the name it was registered with, though the tag has moved', [{ name: 'shop', meta: { 'toots-variant': 'shop' } }], 'shop'],
  ['of a new one the engine is asked', [], 'now-another'],
])('a container of a bare image ID: %s', async (_, registered, name) => {
  const world = aWorld({ registered });
  world.containers.set('a', BARE);

  await world.passes(0);

  expect(world.host.imageName('a')).toBe(name);
  expect(world.host.verdict('h:a:80', undefined)).toMatchObject({ registration: { name } });
});
