import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { agentView } from '../harness/agent-view.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { type DockerDouble, startDockerDouble } from '../harness/docker-double.ts';
import { startRegistrator, type TestRegistrator } from '../harness/registrator.ts';
import { until } from '../harness/until.ts';

/** What Engine 29 sends and no engine at hand does, and what must not depend on what others do with one: a double of the engine, a real agent. */

const SOON = 10_000;
/** On a busy machine the agent is read every five seconds, and reading it takes a while. */
const ROUND = 8_000;
jest.setTimeout(30_000);
let consul: TestConsul;
let engine: DockerDouble;
let registrator: TestRegistrator;
let agent: ReturnType<typeof agentView>;

beforeAll(async () => {
  consul = await startConsul({ config: { advertise_addr_wan: '198.51.100.9', advertise_addr_ipv6: '2001:db8::9' } });
  agent = agentView(consul);
}, 60_000);

afterAll(async () => {
  await consul[Symbol.asyncDispose]();
}, 30_000);

beforeEach(async () => {
  engine = await startDockerDouble();
  registrator = await follow();
}, 60_000);

afterEach(async () => {
  await registrator[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  for (const id of await agent.ids()) await consul.ask('PUT', `/v1/agent/service/deregister/${id}`);
}, 30_000);

const follow = () => startRegistrator({ consul, docker: engine.url, owner: 'double', args: ['--hostname', 'h', '-resync', '1'] });
const web = (name = 'web') => ({ name, ports: { '80/tcp': ['8080'] } });
const is = (id: string, status: string) => until(async () => (await agent.statusOf(id)) === status, SOON, `${id} is ${status}`);
const phaseIs = (id: string, phase: string) =>
  until(async () => (await registrator.status()).containers.find((one) => one.id === id)?.phase === phase, SOON, `${id} is ${phase}`);

test('the lines of Engine 29: start, kill, stop before die, start again', async () => {
  engine.start('a', web());
  await is('h:web:80', 'passing');

  engine.event('a', 'kill', { signal: '15' });
  await is('h:web:80', 'critical');
  engine.send({
    Type: 'network',
    Action: 'disconnect',
    Actor: { ID: 'n', Attributes: { container: 'a', name: 'bridge', type: 'bridge' } },
    time: 1,
  });
  engine.put('a', { ...web(), state: 'exited' });
  engine.event('a', 'stop');
  engine.event('a', 'die', { exitCode: '0', execDuration: '5' });
  await is('h:web:80', 'none');

  engine.start('a', web());
  engine.event('a', 'restart');
  await is('h:web:80', 'passing');
});

test('the lines of Engine 20.10, legacy fields and all', async () => {
  engine.put('a', web());
  engine.send({
    status: 'start',
    id: 'a',
    from: 'img',
    Type: 'container',
    Action: 'start',
    Actor: { ID: 'a', Attributes: { image: 'img', name: 'web' } },
    scope: 'local',
    time: 1,
  });

  await is('h:web:80', 'passing');
});

test('lines that come in pieces, together, and with blanks between', async () => {
  engine.put('a', web('one'));
  engine.put('b', web('two'));
  const line = (id: string) =>
    JSON.stringify({ Type: 'container', Action: 'start', Actor: { ID: id, Attributes: { name: 'ä' } }, time: 1 });

  engine.send(line('a').slice(0, 20));
  engine.send(`${line('a').slice(20)}\n\n${line('b')}\n`);

  await is('h:one:80', 'passing');
  await is('h:two:80', 'passing');
});

test('a label that overrides the signal or the exit code of an event changes nothing', async () => {
  engine.start('a', { ...web(), labels: { signal: '9', exitCode: '42' } });
  await is('h:web:80', 'passing');

  engine.event('a', 'kill', { signal: '9', exitCode: '42' });
  await until(() => engine.asked.inspections >= 2, SOON, 'it is inspected');

  expect(await agent.statusOf('h:web:80')).toBe('passing');
});

test('healthy, told while it stops, does not bring it back', async () => {
  engine.start('a', { ...web(), health: 'starting' });
  await is('h:web:80', 'critical');

  engine.event('a', 'kill', { signal: '15' });
  await phaseIs('a', 'draining');
  engine.put('a', { ...web(), health: 'healthy' });
  engine.event('a', 'health_status: healthy');
  await until(
    async () =>
      (await agent.checksOf('h:web:80')).some(({ CheckID, Status }) => CheckID === 'toots:docker:h:web:80' && Status === 'passing'),
    SOON,
    'the health is told',
  );

  expect(await agent.statusOf('h:web:80')).toBe('critical');
});

test('SIGKILL deregisters before the engine tells of the death; what has survived it is served again', async () => {
  engine.start('a', { ...web(), stopTimeout: 1 });
  await is('h:web:80', 'passing');

  engine.event('a', 'kill', { signal: '9' });
  await until(async () => !(await agent.ids()).includes('h:web:80'), SOON, 'it is deregistered');

  await is('h:web:80', 'passing');
  expect((await registrator.status()).containers).toMatchObject([{ id: 'a', phase: 'up' }]);
});

test('killed and started again in mid-drain, and the engine remembers the signal no more: it knows by the reason in Consul, until StopTimeout is over', async () => {
  engine.start('a', { ...web(), stopTimeout: 4 });
  await is('h:web:80', 'passing');
  engine.event('a', 'kill', { signal: '15' });
  await is('h:web:80', 'critical');
  registrator.program.signal('SIGKILL');
  await registrator.program.ended;
  for (let probe = 0; probe < 300; probe += 1) engine.event('other', 'exec_create: probe');

  registrator = await follow();

  expect((await registrator.status()).containers).toMatchObject([{ id: 'a', phase: 'draining' }]);
  expect(await agent.statusOf('h:web:80')).toBe('critical');
  await is('h:web:80', 'passing');
  expect((await registrator.status()).containers).toMatchObject([{ id: 'a', phase: 'up' }]);
});

test('a die acts before any inspection is answered', async () => {
  engine.start('a', web());
  await is('h:web:80', 'passing');

  let answer: () => void = () => {};
  engine.delayInspections(new Promise<void>((resolve) => (answer = resolve)));
  engine.put('a', { ...web(), state: 'exited' });
  engine.event('a', 'die');
  await is('h:web:80', 'none');
  answer();
});

test('an inspection asked before a die and answered after it does not bring the container back', async () => {
  engine.start('a', web());
  await is('h:web:80', 'passing');
  let answer: () => void = () => {};
  engine.delayInspections(new Promise<void>((resolve) => (answer = resolve)));
  engine.event('a', 'update');
  await until(() => engine.asked.inspections >= 2, SOON, 'the inspection is asked for');

  engine.event('a', 'die');
  await is('h:web:80', 'none');
  const writes = await registrator.metric('toots_consul_writes_total');
  engine.put('a', { ...web(), state: 'exited' });
  answer();
  await until(async () => (await registrator.status()).containers.length === 0, SOON, 'the end is known');

  expect(await registrator.metric('toots_consul_writes_total')).toBe(writes);
  expect(await agent.statusOf('h:web:80')).toBe('none');
});

test('a die that comes after the start that followed it: registered in the end', async () => {
  engine.start('a', web());
  await is('h:web:80', 'passing');

  engine.event('a', 'start');
  engine.event('a', 'die');

  await phaseIs('a', 'up');
  await is('h:web:80', 'passing');
});

test.each([true, false])('the stream ends (cleanly: %s): containers that came and went meanwhile are seen', async (isClean) => {
  engine.start('a', web('one'));
  engine.start('b', web('two'));
  await is('h:two:80', 'passing');

  engine.put('c', web('three'));
  engine.remove('a');
  engine.endStreams(isClean);

  await is('h:three:80', 'passing');
  await is('h:one:80', 'none');
  expect(await agent.statusOf('h:two:80')).toBe('passing');
  expect((await registrator.status()).docker.state).toBe('followed');
});

test('events that never came are found by the next resync', async () => {
  engine.put('a', web('silent'));
  await is('h:silent:80', 'passing');

  engine.put('a', { ...web('renamed') });
  await is('h:renamed:80', 'passing');
  await is('h:silent:80', 'none');

  engine.remove('a');
  await is('h:renamed:80', 'none');
});

test('a health event that never came is found by the next resync', async () => {
  engine.start('a', { ...web(), health: 'healthy' });
  await is('h:web:80', 'passing');

  engine.put('a', { ...web(), health: 'unhealthy' });

  await is('h:web:80', 'critical');
});

test('bindings of both families: the address of the binding, and the further addresses of the agent as tagged ones', async () => {
  engine.start('a', {
    name: 'six',
    ports: { '80/tcp': ['[2001:db8::5]:8080'], '81/tcp': ['0.0.0.0:8081', '[::]:8081'], '82/tcp': ['0.0.0.0:8082'] },
    env: { SERVICE_80_CHECK_HTTP: '/', SERVICE_80_CHECK_INTERVAL: '1h' },
  });
  await is('h:six:81', 'passing');
  await is('h:six:82', 'passing');
  await is('h:six:80', 'critical');

  expect(await agent.service('h:six:80')).toMatchObject({ Address: '2001:db8::5', Port: 8080 });
  expect((await agent.checksOf('h:six:80')).map(({ Notes }) => Notes)).toEqual([
    expect.stringContaining('GET http://[2001:db8::5]:8080/ every 1h'),
  ]);
  const wan = { Address: '198.51.100.9', Port: 8081 };
  expect((await agent.service('h:six:81'))?.TaggedAddresses).toMatchObject({ wan, lan_ipv6: { Address: '2001:db8::9', Port: 8081 } });
  const ofV4 = (await agent.service('h:six:82'))?.TaggedAddresses;
  expect(ofV4).toMatchObject({ wan: { ...wan, Port: 8082 } });
  expect(ofV4).not.toHaveProperty('lan_ipv6');
  const writes = await registrator.metric('toots_consul_writes_total');
  const rounds = await registrator.metric('toots_rounds_total');
  await until(async () => (await registrator.metric('toots_rounds_total')) >= rounds + 2, 2 * ROUND, 'two rounds have passed');
  expect(await registrator.metric('toots_consul_writes_total')).toBe(writes);
});

test('one container that cannot be read costs no other', async () => {
  engine.breakInspectionOf('bad');
  engine.start('bad', web('bad'));
  engine.start('a', web());

  await is('h:web:80', 'passing');
  await until(
    async () => (await registrator.status()).problems.some(({ subject, reason }) => subject === 'bad' && /State/.test(reason)),
    SOON,
    'the problem is told',
  );
  expect(await registrator.isReady()).toBe(true);
});

test('nothing happens: no writes, no inspections, and the index of the catalog stays, for ten rounds', async () => {
  for (let index = 0; index < 20; index += 1)
    engine.start(`c${index}`, {
      ...web(`web${index}`),
      health: 'healthy',
      env: { SERVICE_CHECK_TTL: '1h', SERVICE_CHECK_INITIAL_STATUS: 'passing', SERVICE_TAGS: 'b,a' },
    });
  for (let index = 0; index < 20; index += 1) await is(`h:web${index}:80`, 'passing');
  const round = async () => (await registrator.status()).lastRound;
  const indexNow = async () => (await fetch(`${consul.url}/v1/health/state/any`)).headers.get('x-consul-index');
  await until(async () => (await round())?.differences === 0, SOON, 'a round finds nothing to do');
  let before: string | null = null;
  const isQuiet = async () => {
    const last = before;
    before = await indexNow();
    return last === before;
  };
  await until(isQuiet, SOON, 'the catalog is quiet');
  const [writes, inspections, rounds] = [
    await registrator.metric('toots_consul_writes_total'),
    engine.asked.inspections,
    await registrator.metric('toots_rounds_total'),
  ];

  await until(async () => (await registrator.metric('toots_rounds_total')) >= rounds + 10, 10 * ROUND, 'ten rounds have passed');

  expect(await registrator.metric('toots_consul_writes_total')).toBe(writes);
  expect(engine.asked.inspections).toBe(inspections);
  expect(await indexNow()).toBe(before);
}, 120_000);

test('five hundred containers at once are all registered, with two inspections of each at most', async () => {
  for (let index = 0; index < 500; index += 1) engine.start(`c${index}`, web(`web${index}`));

  await until(async () => (await agent.ids()).length === 500, 15_000, 'all are registered');

  expect(engine.asked.inspections).toBeLessThanOrEqual(1_000);
}, 60_000);
