import { afterEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import type { ConsulAgent } from '../../consul/agent.ts';
import { ConsulRefusal } from '../../consul/call.ts';
import { registeredAs } from '../../consul/registered.ts';
import type { Registered } from '../../consul/registration.ts';
import { createLog } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { createHost, type Host } from '../../registrator/host.ts';
import { createRegistratorMetrics } from '../../registrator/metrics.ts';
import { type Settlement, settle } from '../../registrator/settle.ts';
import { until } from '../harness/until.ts';
import { aContainer, NEAR, POLICY } from './a-container.ts';

/** How a request to the agent goes: what is waited for before it is taken, and before it is answered; unanswered, and even so taken; answered with a no. */
interface Course {
  readonly taken?: Promise<void>;
  readonly answered?: Promise<void>;
  readonly isLost?: 'before it was taken' | 'after it was taken';
  readonly isRefused?: boolean;
}

const SOON = 4_000;
const stops: AbortController[] = [];
afterEach(() => {
  jest.useRealTimers();
  for (const stop of stops.splice(0)) stop.abort();
});

/** A host and an agent that are settled; `course` says how each request goes. */
function aWorld(course: (request: 'read' | 'register' | 'deregister' | 'maintain') => Course = () => ({})) {
  const stop = new AbortController();
  stops.push(stop);
  const services = new Map<string, Registered>();
  const asked: string[] = [];
  const ask = async <Value>(what: Parameters<typeof course>[0], take: () => Value): Promise<Value> => {
    const { taken, answered, isLost, isRefused } = course(what);
    asked.push(what);
    const failure = new OperationError(what, { subject: 'agent', hint: 'no answer' });
    await taken;
    if (isRefused)
      throw new ConsulRefusal(
        { method: 'PUT', path: `/${what}`, timeoutMs: 1 },
        { status: 500, headers: {}, body: Buffer.from('no') },
        'agent',
      );
    if (isLost === 'before it was taken') throw failure;
    const value = take();
    await answered;
    if (isLost === 'after it was taken') throw failure;
    return value;
  };
  const agent = {
    self: async () => ({ node: 'n', version: '1.8.7', address: NEAR.agentAddress, taggedAddresses: {}, takesScripts: true }),
    registered: () => ask('read', () => new Map(services)),
    register: (registration, _, maintenance) =>
      ask(
        'register',
        () => void services.set(registration.id, { ...registeredAs(registration), ...(maintenance !== undefined && { maintenance }) }),
      ),
    deregister: (id) => ask('deregister', () => void services.delete(id)),
    maintain: (id, reason) =>
      ask('maintain', () => {
        const { maintenance: _, ...rest } = services.get(id) ?? ({} as Registered);
        services.set(id, reason === undefined ? rest : { ...rest, maintenance: reason });
      }),
    maintenanceOf: async (id) => services.get(id)?.maintenance,
    deregisterCheck: async () => {},
    tellStatus: async () => {},
  } satisfies ConsulAgent;
  const settlement: { it?: Settlement } = {};
  const host = createHost({ ...POLICY, owner: 'me', deregister: 'always', register: 'started' }, (container, ids) =>
    settlement.it?.containerChanged(container, ids),
  );
  const parts = { agent, host, owner: 'me', log: createLog('test', 'silent'), metrics: createRegistratorMetrics(new Registry()) };
  settlement.it = settle({ ...parts, onAgent: host.setAgent, onProblems: () => {} }, stop.signal);
  host.listed([]);
  return { host, services, asked, run: settlement.it.run, settlement: settlement.it };
}

let order = 0;
const starts = (host: Host, id: string) => isNamed(host, id, id);
const isNamed = (host: Host, id: string, name: string) =>
  host.learn(id, { kind: 'inspected', container: aContainer({ id, name }), asked: { order: ++order, ms: Date.now() } });
const dies = (host: Host, id: string) => host.learn(id, { kind: 'died', heard: { order: ++order, ms: Date.now() } });
const isStopped = (host: Host, id: string) => host.learn(id, { kind: 'killed', signal: 15, sentMs: Date.now(), heardMs: Date.now() });
const gate = () => {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};

test('a registration that was taken without an answer, while the agent is read: the container that ended since is not left there', async () => {
  const [reading, registering] = [gate(), gate()];
  let reads = 0;
  const world = aWorld((request) => {
    if (request === 'register') return { answered: registering.opened, isLost: 'after it was taken' };
    return request === 'read' && ++reads === 2 ? { answered: reading.opened } : {};
  });
  void world.run();
  await until(() => reads === 2, SOON, 'the agent is being read');

  starts(world.host, 'a');
  await until(() => world.services.has('h:a:80'), SOON, 'it is registered');
  dies(world.host, 'a');
  registering.open();
  await until(() => world.settlement.lost() !== undefined, SOON, 'the answer is missed');
  // As on a busy machine: a reading that takes long is no reason to look away for long.
  await new Promise((resolve) => setTimeout(resolve, 120));
  reading.open();

  await until(() => world.services.size === 0, SOON, 'it is gone');
});

test('a stop that was under way when the registrator began is known by the reason in Consul', async () => {
  const world = aWorld();
  starts(world.host, 'a');
  const first = aWorld();
  starts(first.host, 'a');
  void first.run();
  await until(() => first.services.has('h:a:80'), SOON, 'it is registered');
  isStopped(first.host, 'a');
  await until(() => first.services.get('h:a:80')?.maintenance !== undefined, SOON, 'it is held');

  world.services.set('h:a:80', first.services.get('h:a:80') as Registered);
  void world.run();
  await until(() => world.settlement.lastRound() !== undefined, SOON, 'it was read');

  expect(world.host.phase('a')).toMatchObject({ kind: 'draining', sent: { signal: 15 } });
  expect(world.asked.filter((what) => what !== 'read')).toEqual([]);
});

test('a renamed container: what it had before stays until what it has now is there, and no longer', async () => {
  jest.useFakeTimers();
  const renaming = gate();
  let isHeldBack = false;
  const world = aWorld((request) => (request === 'register' && isHeldBack ? { taken: renaming.opened } : {}));
  void world.run();
  starts(world.host, 'a');
  await jest.advanceTimersByTimeAsync(10);
  expect([...world.services.keys()]).toEqual(['h:a:80']);

  isHeldBack = true;
  isNamed(world.host, 'a', 'b');
  await jest.advanceTimersByTimeAsync(5_000);
  expect([...world.services.keys()]).toEqual(['h:a:80']);
  renaming.open();
  await jest.advanceTimersByTimeAsync(10);

  expect([...world.services.keys()]).toEqual(['h:b:80']);
});

test('a write that is not answered: the agent is read again at once, which tells', async () => {
  jest.useFakeTimers();
  let isLost = true;
  const world = aWorld((request) => (request === 'register' && isLost ? { isLost: 'after it was taken' } : {}));
  void world.run();
  await jest.advanceTimersByTimeAsync(10);
  starts(world.host, 'a');
  await jest.advanceTimersByTimeAsync(0);
  expect(world.settlement.lost()).toContain('no answer');

  isLost = false;
  await jest.advanceTimersByTimeAsync(100);
  expect(world.settlement.lost()).toBeUndefined();
  expect(world.asked.filter((what) => what === 'register')).toHaveLength(1);
});

test('a renamed container whose new ID is refused: the old one goes', async () => {
  jest.useFakeTimers();
  let isRefused = false;
  const world = aWorld((request) => ({ isRefused: request === 'register' && isRefused }));
  void world.run();
  starts(world.host, 'a');
  await jest.advanceTimersByTimeAsync(3_000);
  expect([...world.services.keys()]).toEqual(['h:a:80']);

  isRefused = true;
  isNamed(world.host, 'a', 'b');
  await jest.advanceTimersByTimeAsync(3_000);

  expect([...world.services.keys()]).toEqual([]);
  expect(world.settlement.problems().get('h:b:80')).toMatchObject({
    subject: 'web',
    option: 'Consul',
    reason: expect.stringContaining('500 no'),
  });
});

test('a write that is refused is tried again every ten seconds at least, however long that takes', async () => {
  jest.useFakeTimers();
  const tries: number[] = [];
  let isRefused = true;
  const world = aWorld((request) => {
    if (request === 'register') tries.push(Date.now());
    return { isRefused: request === 'register' && isRefused };
  });
  void world.run();
  starts(world.host, 'a');
  await jest.advanceTimersByTimeAsync(300_000);
  expect(tries.length).toBeLessThan(80);
  expect(Math.max(...tries.slice(1).map((at, index) => at - (tries[index] ?? 0)))).toBeLessThanOrEqual(10_000);

  isRefused = false;
  await jest.advanceTimersByTimeAsync(10_000);
  expect([...world.services.keys()]).toEqual(['h:a:80']);
  expect(world.settlement.problems().size).toBe(0);
});

test('whatever becomes of requests: in the end the agent has what the host wants', async () => {
  const happening = fc.record({
    what: fc.constantFrom(starts, dies, isStopped),
    container: fc.constantFrom('a', 'b', 'c'),
    pauseMs: fc.constantFrom(0, 0, 1, 3, 60),
  });
  const course = fc.record({
    takenMs: fc.constantFrom(0, 0, 1, 4),
    answeredMs: fc.constantFrom(0, 0, 1, 4, 30),
    isLost: fc.constantFrom(undefined, undefined, undefined, 'before it was taken' as const, 'after it was taken' as const),
  });
  const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 25 }), fc.array(course, { maxLength: 60 }), async (happenings, courses) => {
      const left = [...courses];
      const world = aWorld(() => {
        const { takenMs = 0, answeredMs = 0, isLost } = left.shift() ?? {};
        return { taken: wait(takenMs), answered: wait(answeredMs), ...(isLost !== undefined && { isLost }) };
      });
      void world.run();
      for (const { what, container, pauseMs } of happenings) {
        what(world.host, container);
        await wait(pauseMs);
      }
      left.splice(0);

      const wanted = [...world.host.wantedIds()].filter((id) => world.host.verdict(id, undefined).kind === 'wanted');
      const isSettled = () => {
        const creates = wanted.filter((id) => {
          const verdict = world.host.verdict(id, undefined);
          return verdict.kind === 'wanted' && verdict.creates;
        });
        return creates.every((id) => world.services.has(id)) && [...world.services.keys()].every((id) => wanted.includes(id));
      };
      await until(isSettled, SOON, `${JSON.stringify(wanted)} is ${JSON.stringify([...world.services.keys()])}`);
      stops.pop()?.abort();
    }),
    { numRuns: 25 },
  );
}, 60_000);
