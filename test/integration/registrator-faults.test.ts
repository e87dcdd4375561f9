import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { agentView } from '../harness/agent-view.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { type ContainerOptions, docker, startContainer, type TestContainer } from '../harness/docker.ts';
import { type ProxiedRequest, startHttpProxy } from '../harness/http-proxy.ts';
import { PROJECT_FOLDER } from '../harness/program.ts';
import { DOCKER, startRegistrator } from '../harness/registrator.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

const SOON = 10_000;
const ENGINE = { socketPath: DOCKER.replace('unix://', '') };
/** As the issue of this program asks for it: TOOTS_TEST_CUT_S=60 TOOTS_TEST_KILLS=50. Nothing here depends on how long or how often. */
const LONG = { cutMs: Number(process.env['TOOTS_TEST_CUT_S'] ?? 0) * 1_000, kills: Number(process.env['TOOTS_TEST_KILLS'] ?? 12) };
const OBEDIENT = ['sh', '-c', 'trap exit TERM; while :; do sleep 1 & wait; done'];

let consul: TestConsul;
let agent: ReturnType<typeof agentView>;
let mark = 0;

beforeAll(async () => {
  consul = await startConsul();
  agent = agentView(consul);
}, 60_000);

afterAll(async () => {
  await consul[Symbol.asyncDispose]();
}, 30_000);

/** A host name of its own for the registrator of a test, so that its IDs are no other's. */
const ownHost = () => `h${process.pid}-${++mark}`;
const is = (id: string, status: string, view = agent) =>
  until(async () => (await view.statusOf(id)) === status, SOON, `${id} is ${status}`);
/** On the network of the host, which starts sooner; its one port is only named. */
const quick = (name: string, options: ContainerOptions = {}) =>
  startContainer({ run: ['--network', 'host'], env: { SERVICE_9100_NAME: name }, command: OBEDIENT, ...options });
const idOf = (host: string, { name }: TestContainer) => `${host}:${name}:9100`;

test('neither the engine nor the agent is there at first: it waits, says so, and then works', async () => {
  await using folder = await tempDir();
  const socketPath = join(folder.path, 'docker.sock');
  await using late = await startHttpProxy({ port: consul.httpPort });
  await late.cut();
  await using container = await quick('late');
  const host = ownHost();
  await using registrator = await startRegistrator({
    consul: `consul://127.0.0.1:${late.port}`,
    docker: `unix://${socketPath}`,
    args: ['--hostname', host],
    isImpatient: true,
  });

  await until(
    async () => (await registrator.status()).docker.state === 'lost' && (await registrator.status()).consul.state === 'lost',
    SOON,
    'it says that both are lost',
  );
  expect(await registrator.isReady()).toBe(false);

  await late.restore();
  await using _ = await startHttpProxy(ENGINE, { socketPath });
  await is(idOf(host, container), 'passing');
  await until(() => registrator.isReady(), SOON, 'it is ready');
}, 60_000);

test(
  'the engine cannot be reached for a while: what comes and goes meanwhile is seen afterwards',
  async () => {
    await using folder = await tempDir();
    const socketPath = join(folder.path, 'docker.sock');
    await using engine = await startHttpProxy(ENGINE, { socketPath });
    const host = ownHost();
    await using stays = await quick('stays');
    await using goes = await quick('goes');
    await using registrator = await startRegistrator({ consul, docker: `unix://${socketPath}`, owner: host, args: ['--hostname', host] });
    await is(idOf(host, goes), 'passing');

    await engine.cut();
    await until(async () => (await registrator.status()).docker.state === 'lost', SOON, 'it says that the engine is lost');
    await docker('kill', goes.id);
    await using comes = await quick('comes');
    await wait(LONG.cutMs);
    expect(await agent.statusOf(idOf(host, goes))).toBe('passing');
    expect(await agent.statusOf(idOf(host, stays))).toBe('passing');

    await engine.restore();
    await until(async () => (await agent.statusOf(idOf(host, comes))) === 'passing', 3_000, 'the new one is registered');
    await until(async () => (await agent.statusOf(idOf(host, goes))) === 'none', 3_000, 'the ended one is gone');
    expect(await agent.statusOf(idOf(host, stays))).toBe('passing');
  },
  60_000 + LONG.cutMs,
);

test('the agent is killed and wiped: everything comes back without an event, and what changed meanwhile is right', async () => {
  await using own = await startConsul();
  const view = agentView(own);
  const host = ownHost();
  await using stays = await quick('stays');
  await using goes = await quick('goes');
  await using registrator = await startRegistrator({ consul: own, owner: host, args: ['--hostname', host] });
  await is(idOf(host, goes), 'passing', view);

  await own.kill();
  await until(async () => (await registrator.status()).consul.state === 'lost', SOON, 'it says that the agent is lost');
  await docker('kill', goes.id);
  await using comes = await quick('comes');
  await own.restart({ wiped: true });

  for (const container of [stays, comes])
    await until(async () => (await view.statusOf(idOf(host, container))) === 'passing', 5_000, `${container.name} is registered`);
  expect(await view.statusOf(idOf(host, goes))).toBe('none');
  expect((await registrator.status()).consul.state).toBe('followed');
}, 90_000);

test('the agent hangs: what comes and goes meanwhile is right as soon as it answers', async () => {
  await using own = await startConsul();
  const view = agentView(own);
  const host = ownHost();
  await using goes = await quick('goes');
  await using registrator = await startRegistrator({ consul: own, owner: host, args: ['--hostname', host] });
  await is(idOf(host, goes), 'passing', view);

  own.signal('SIGSTOP');
  await docker('kill', goes.id);
  await using comes = await quick('comes');
  await until(async () => (await registrator.status()).consul.state === 'lost', SOON, 'it says that the agent does not answer');
  own.signal('SIGCONT');

  await is(idOf(host, comes), 'passing', view);
  await is(idOf(host, goes), 'none', view);
}, 60_000);

test('a write that is refused is tried again, by itself', async () => {
  const host = ownHost();
  await using unlucky = await quick('unlucky');
  await using lucky = await quick('lucky');
  let refusals = 0;
  const refuse = ({ path, body }: ProxiedRequest) =>
    path.endsWith('/service/register') && body.includes(idOf(host, unlucky)) && ++refusals <= 3 ? 500 : undefined;
  await using proxy = await startHttpProxy({ port: consul.httpPort }, { refuse });
  await using registrator = await startRegistrator({ consul: `consul://127.0.0.1:${proxy.port}`, owner: host, args: ['--hostname', host] });

  await is(idOf(host, lucky), 'passing');
  await is(idOf(host, unlucky), 'passing');

  expect(refusals).toBeGreaterThan(3);
  await until(async () => (await registrator.status()).problems.every(({ subject }) => subject !== 'unlucky'), SOON, 'the problem is over');
}, 60_000);

test('a write that is refused for ever is a problem, with what the agent said', async () => {
  const host = ownHost();
  await using container = await quick('never');
  await using proxy = await startHttpProxy(
    { port: consul.httpPort },
    { refuse: ({ path }) => (path.endsWith('/service/register') ? 500 : undefined) },
  );
  await using registrator = await startRegistrator({ consul: `consul://127.0.0.1:${proxy.port}`, owner: host, args: ['--hostname', host] });

  const problem = await until(
    async () => (await registrator.status()).problems.find(({ value }) => value === idOf(host, container)),
    SOON,
    'it is told',
  );

  expect(problem.reason).toContain('refused by the test');
  const { services } = (await registrator.status()).containers.find(({ id }) => id === container.id) ?? {};
  expect(services).toMatchObject([{ state: 'refused' }]);
}, 60_000);

test('a registrator is killed and started again in mid-drain: its container never comes back', async () => {
  const host = ownHost();
  await using container = await quick('draining', { command: ['sh', '-c', 'trap "sleep 6; exit" TERM; while :; do sleep 1 & wait; done'] });
  const id = idOf(host, container);
  const first = await startRegistrator({ consul, owner: host, args: ['--hostname', host] });
  await is(id, 'passing');

  const stopped = docker('stop', container.id);
  await is(id, 'critical');
  first.program.signal('SIGKILL');
  await first.program.ended;
  await using second = await startRegistrator({ consul, owner: host, args: ['--hostname', host] });
  const seen = new Set<string>();
  await until(
    async () => {
      const status = await agent.statusOf(id);
      seen.add(status);
      return status === 'none';
    },
    20_000,
    'it is gone',
  );
  await stopped;

  expect([...seen]).toEqual(['critical', 'none']);
  expect(second.program.hasEnded()).toBe(false);
}, 60_000);

test('a stop that began while no registrator ran is caught up', async () => {
  const host = ownHost();
  await using container = await quick('missed', { command: ['sh', '-c', 'trap "sleep 6; exit" TERM; while :; do sleep 1 & wait; done'] });
  const id = idOf(host, container);
  const first = await startRegistrator({ consul, owner: host, args: ['--hostname', host] });
  await is(id, 'passing');
  first.program.signal('SIGKILL');
  await first.program.ended;

  const stopped = docker('stop', container.id);
  await using _ = await startRegistrator({ consul, owner: host, args: ['--hostname', host] });

  await is(id, 'critical');
  expect(await docker('inspect', '-f', '{{.State.Running}}', container.id)).toBe('true');
  await stopped;
  await is(id, 'none');
}, 60_000);

test(
  'killed many times, whenever: five seconds after each start the agent has what the engine has',
  async () => {
    const host = ownHost();
    const steady = await Promise.all([1, 2, 3].map(() => quick('steady')));
    const fickle = await Promise.all([1, 2].map(() => quick('fickle')));
    const running = new Set([...steady, ...fickle]);
    const all = [...running];
    const flip = async (container: TestContainer) => {
      const isThere = running.delete(container);
      if (!isThere) running.add(container);
      await docker(isThere ? 'kill' : 'start', container.id);
    };
    let flipping: Promise<void> = Promise.resolve();
    try {
      for (let round = 0; round < LONG.kills; round += 1) {
        await using registrator = await startRegistrator({ consul, owner: host, args: ['--hostname', host], isImpatient: true });
        await flipping;
        const wanted = JSON.stringify([...running].map((container) => idOf(host, container)).sort());
        const actual = async () =>
          JSON.stringify((await agent.ids()).filter((id) => all.some((container) => id === idOf(host, container))));
        await until(async () => (await actual()) === wanted, 5_000, `round ${round}: the agent has ${wanted}`);
        // What happens to a container straddles the end of this registrator and the start of the next.
        flipping = flip(fickle[round % 2] as TestContainer);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
        registrator.program.signal('SIGKILL');
        await registrator.program.ended;
      }
      await flipping;
    } finally {
      await Promise.all(all.map((container) => container[Symbol.asyncDispose]()));
    }
  },
  60_000 + LONG.kills * 5_000,
);

test('two registrators on one agent never touch what is the other’s', async () => {
  const host = ownHost();
  await using container = await quick('shared');
  const id = idOf(host, container);
  await using first = await startRegistrator({ consul, owner: 'first', args: ['--hostname', host] });
  await is(id, 'passing');

  await using second = await startRegistrator({ consul, owner: 'second', args: ['--hostname', host, '-ip', '10.9.9.9'] });
  await until(
    async () => (await second.status()).problems.some(({ value, related }) => value === id && related?.includes('first')),
    SOON,
    'it is a problem of the second',
  );
  expect((await agent.service(id))?.Meta['toots-owner']).toBe('first');

  await docker('kill', container.id);
  await is(id, 'none');
  expect((await first.status()).problems.filter(({ value }) => value === id)).toEqual([]);
}, 60_000);

test('another host name: the services keep their owner, move to their new IDs, and none is left', async () => {
  const [before, after] = [ownHost(), ownHost()];
  await using container = await quick('moving');
  await using custom = await quick('custom', { env: { SERVICE_9101_NAME: 'custom', SERVICE_ID: `custom-${before}` } });
  const first = await startRegistrator({ consul, owner: before, args: ['--hostname', before] });
  await is(idOf(before, container), 'passing');
  await is(`custom-${before}`, 'passing');
  await first.program.stop();

  await docker('kill', custom.id);
  await using _ = await startRegistrator({ consul, owner: before, args: ['--hostname', after] });

  await is(idOf(after, container), 'passing');
  await is(idOf(before, container), 'none');
  await is(`custom-${before}`, 'none');
}, 60_000);

test('changing over from gliderlabs registrator: what is right is taken over, what is not stays and is told, what is foreign is not touched', async () => {
  const host = ownHost();
  await using same = await quick('same', { env: { SERVICE_9100_NAME: 'same', SERVICE_CHECK_TTL: '1h' } });
  await using other = await quick('other');
  const register = (id: string, name: string, port: number) =>
    agent.register({ ID: id, Name: name, Port: port, Address: '10.0.0.5', Check: { TTL: '1h', Status: 'passing' } });
  await register(idOf(host, same), 'same', 9_100);
  await register(idOf(host, other), 'other', 1);
  await register(`${host}:by-hand:80`, 'by-hand', 80);
  await using registrator = await startRegistrator({ consul, owner: host, args: ['--hostname', host, '-ip', '10.0.0.5'] });

  await until(async () => (await agent.service(idOf(host, same)))?.Meta['toots-owner'] === host, SOON, 'it is taken over');
  await until(
    async () => (await registrator.status()).problems.some(({ value }) => value === idOf(host, other)),
    SOON,
    'the other port is a problem',
  );
  expect(await agent.statusOf(idOf(host, same))).toBe('passing');
  expect((await agent.checksOf(idOf(host, same))).map(({ CheckID }) => CheckID)).toEqual([`service:${idOf(host, same)}`]);
  expect((await agent.service(idOf(host, other)))?.Port).toBe(1);
  expect(await agent.statusOf(`${host}:by-hand:80`)).toBe('passing');
}, 60_000);

const once = async (...args: string[]) =>
  (
    await execa(join(PROJECT_FOLDER, 'toots.sh'), ['registrator', ...args, `consul://127.0.0.1:${consul.httpPort}`], { stdin: 'ignore' })
  ).stdout.split('\n');

test('--dry-run tells every write and makes none', async () => {
  const host = ownHost();
  await using container = await quick('dry');
  await agent.register({ ID: `${host}:gone:80`, Name: 'gone', Port: 80, Meta: { 'toots-owner': host, 'toots-container': 'gone' } });

  const lines = await once('--dry-run', '--owner', host, '--hostname', host, '-ip', '10.0.0.5');

  expect(lines).toContain(`register ${idOf(host, container)}: dry 10.0.0.5:9100 [] (new)`);
  expect(lines).toContain(`deregister ${host}:gone:80`);
  expect(await agent.statusOf(idOf(host, container))).toBe('none');
  expect(await agent.statusOf(`${host}:gone:80`)).toBe('passing');
}, 30_000);

test('--adopt lists what an earlier registrator left, takes over what a container wants, and removes the rest', async () => {
  const host = ownHost();
  await using container = await quick('adopted');
  const id = idOf(host, container);
  await agent.register({ ID: id, Name: 'adopted', Port: 1, Check: { TTL: '1h' } });
  await agent.register({ ID: `${host}:gone:80`, Name: 'gone', Port: 80 });
  await agent.register({ ID: `other:gone:80`, Name: 'foreign', Port: 80 });
  const lines = [`take ${id}: adopted :1 (a container here wants its ID)`, `remove ${host}:gone:80: gone :80 (no container here wants it)`];
  const args = ['--owner', host, '--hostname', host, '-explicit'];

  expect((await once('--adopt=list', ...args)).sort()).toEqual([...lines].sort());
  expect((await once('--adopt', '--dry-run', ...args)).sort()).toEqual([...lines].sort());
  expect((await agent.service(id))?.Port).toBe(1);

  expect((await once('--adopt', ...args)).sort()).toEqual([...lines].sort());
  expect(await agent.service(id)).toMatchObject({ Port: 9_100, Meta: { 'toots-owner': host } });
  expect(await agent.checksOf(id)).toEqual([]);
  expect(await agent.statusOf(`${host}:gone:80`)).toBe('none');
  expect(await agent.statusOf('other:gone:80')).toBe('passing');
  expect(await once('--adopt', ...args)).toEqual(['nothing to change']);
}, 30_000);
