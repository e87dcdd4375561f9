import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ConsulAgent } from '../../consul/agent.ts';
import { registeredAs } from '../../consul/registered.ts';
import type { Registered } from '../../consul/registration.ts';
import { createLog } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { createDockerEngine } from '../../registrator/docker-engine.ts';
import type { HostPolicy } from '../../registrator/host.ts';
import { runRegistrator } from '../../registrator/run.ts';
import { parseTagTemplate } from '../../registrator/tag-template.ts';
import { type DockerDouble, startDockerDouble } from '../harness/docker-double.ts';
import { freePorts } from '../harness/free-port.ts';
import { PROJECT_FOLDER } from '../harness/program.ts';
import type { RegistratorStatus } from '../harness/registrator.ts';
import { until } from '../harness/until.ts';
import { NEAR, POLICY } from './a-container.ts';

const SOON = 5_000;
let docker: DockerDouble;
const stops: AbortController[] = [];
beforeEach(async () => {
  docker = await startDockerDouble();
});
afterEach(async () => {
  jest.useRealTimers();
  for (const stop of stops.splice(0)) stop.abort();
  await docker[Symbol.asyncDispose]();
});

type Shutdown = 'keep' | 'maintenance' | 'deregister';

/** A registrator of the double's containers, and an agent that takes everything. */
async function aRegistrator({ shutdown = 'keep', ...policy }: Partial<HostPolicy> & { shutdown?: Shutdown } = {}) {
  const services = new Map<string, Registered>();
  const agent: ConsulAgent = {
    self: async () => ({ node: 'n', version: '1.8.7', address: NEAR.agentAddress, taggedAddresses: {}, takesScripts: true }),
    registered: async () => new Map(services),
    register: async (registration) => void services.set(registration.id, registeredAs(registration)),
    deregister: async (id) => void services.delete(id),
    deregisterCheck: async () => {},
    tellStatus: async () => {},
    maintenanceOf: async (id) => services.get(id)?.maintenance,
    maintain: async (id, reason) => {
      const { maintenance: _, ...rest } = services.get(id) ?? ({} as Registered);
      services.set(id, reason === undefined ? rest : { ...rest, maintenance: reason });
    },
  };
  const [port = 0] = await freePorts(1);
  const stop = new AbortController();
  stops.push(stop);
  const engine = createDockerEngine(docker.url, { keepsInspection: false });
  const settings = {
    owner: '',
    api: { address: '127.0.0.1', port },
    resync: 60,
    shutdown,
    deregister: 'always' as const,
    tags: parseTagTemplate(''),
  };
  const start = (faulty: Partial<typeof engine> = {}) =>
    runRegistrator(
      {
        engine: { ...engine, ...faulty },
        agent,
        consul: 'agent',
        policyOf: (owner) => ({ ...POLICY, deregister: 'always', register: 'started', ...policy, owner }),
        settings,
        log: createLog('test', 'silent'),
      },
      stop.signal,
    );
  const get = async (path: string) => await fetch(`http://127.0.0.1:${port}${path}`);
  return {
    services,
    stop,
    start,
    status: async () => (await (await get('/status')).json()) as RegistratorStatus,
    metrics: async () => await (await get('/metrics')).text(),
    isRegistered: (id: string) => until(() => services.has(id), SOON, `${id} is registered`),
  };
}

test.each<[Shutdown, object | undefined]>([
  ['keep', { id: 'h:web:80' }],
  ['maintenance', { id: 'h:web:80', maintenance: 'toots: the registrator has ended' }],
  ['deregister', undefined],
])('-shutdown %s: what becomes of its own services, and of no other', async (shutdown, left) => {
  docker.start('a', { name: 'web' });
  const registrator = await aRegistrator({ shutdown });
  const ended = registrator.start();
  await registrator.isRegistered('h:web:80');
  const ours = registrator.services.get('h:web:80') as Registered;
  const others = { ...ours, id: 'others', meta: { 'toots-owner': 'another' } };
  registrator.services.set('others', others);

  registrator.stop.abort();
  await ended;

  expect(registrator.services.get('others')).toEqual(others);
  if (left === undefined) expect(registrator.services.has('h:web:80')).toBe(false);
  else expect(registrator.services.get('h:web:80')).toEqual({ ...ours, ...left });
});

test('an engine that does not tell its ID is asked again every two seconds at least', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
  const registrator = await aRegistrator();
  const tries: number[] = [];
  const ended = registrator.start({
    id: async () => {
      tries.push(Date.now());
      throw new OperationError('Docker info', { subject: 'engine', hint: 'no answer' });
    },
  });
  await until(() => tries.length > 0, SOON, 'it is asked');
  await jest.advanceTimersByTimeAsync(60_000);
  registrator.stop.abort();
  await ended;

  expect(Math.max(...tries.slice(1).map((at, index) => at - (tries[index] ?? 0)))).toBeLessThanOrEqual(2_000);
  expect(tries.length).toBeGreaterThan(25);
  expect(tries.length).toBeLessThan(80);
});

test('a container that cannot be described is a problem of its name, told in a sentence, until it can', async () => {
  const noTags = parseTagTemplate('');
  let isFaulty = true;
  const render: typeof noTags.render = (inspection, get) => {
    if (isFaulty) throw new TypeError('x is not a function');
    return noTags.render(inspection, get);
  };
  const registrator = await aRegistrator({ extraTags: { ...noTags, render } });
  docker.put('a', { name: 'odd' });
  const ended = registrator.start();
  const reason = 'it cannot be described, which is a fault of this program: x is not a function';

  const { problems, containers } = await until(
    async () => {
      const status = await registrator.status();
      return status.problems.length > 0 ? status : undefined;
    },
    SOON,
    'the problem is told',
  );
  expect(problems).toMatchObject([{ subject: 'odd', reason: `${reason}; it is tried again` }]);
  expect(containers).toMatchObject([{ name: 'odd', why: reason, services: [] }]);

  isFaulty = false;
  await registrator.isRegistered('h:odd:80');
  await until(async () => (await registrator.status()).problems.length === 0, SOON, 'the problem is over');
  registrator.stop.abort();
  await ended;
});

test('its numbers: what is followed, what is wanted, refused and held, and when it was compared', async () => {
  const registrator = await aRegistrator();
  docker.put('a', { name: 'one' });
  docker.put('b', { name: 'two', state: 'paused' });
  docker.put('c', { name: 'three', env: { SERVICE_ID: 'h:one:80', SERVICE_80_NAME: 'x' }, created: '2026-01-02T00:00:00Z' });
  const ended = registrator.start();
  const begunS = Date.now() / 1_000;
  const value = async (name: string) =>
    Number(new RegExp(`^toots_${name}\\{.*\\} (\\S+)$`, 'm').exec(await registrator.metrics())?.[1] ?? Number.NaN);
  await until(() => registrator.services.get('h:two:80')?.maintenance !== undefined, SOON, 'the second is held');
  await until(async () => (await value('last_round_timestamp_seconds')) >= begunS - 1, SOON, 'it was compared');

  expect(await value('docker_followed')).toBe(1);
  expect(await value('consul_followed')).toBe(1);
  expect(await value('services_wanted')).toBe(3);
  expect(await value('services_refused')).toBe(1);
  await until(async () => (await value('services_held')) === 1, SOON, 'the second is counted');

  docker.goSilent();
  docker.endStreams(false);
  await until(async () => (await value('docker_followed')) === 0, SOON, 'the engine is lost');
  registrator.stop.abort();
  await ended;
}, 20_000);

test('the page on metrics names every one there is', async () => {
  const registrator = await aRegistrator();
  const ended = registrator.start();
  const names = await until(
    async () => [...(await registrator.metrics()).matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name ?? ''),
    SOON,
    'they are served',
  );
  registrator.stop.abort();
  await ended;
  const page = await readFile(join(PROJECT_FOLDER, 'docs/metrics.md'), 'utf8');

  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
