import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { agentView } from '../harness/agent-view.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { type ContainerOptions, docker, startContainer, type TestContainer } from '../harness/docker.ts';
import { ID_HOST, startRegistrator, type TestRegistrator } from '../harness/registrator.ts';
import { until } from '../harness/until.ts';

let consul: TestConsul;
let registrator: TestRegistrator;
let agent: ReturnType<typeof agentView>;

beforeAll(async () => {
  consul = await startConsul();
  agent = agentView(consul);
  registrator = await startRegistrator({ consul, args: ['-ip', '10.0.0.5'] });
}, 60_000);

afterAll(async () => {
  await registrator[Symbol.asyncDispose]();
  await consul[Symbol.asyncDispose]();
}, 30_000);

/** How long anything may take on a busy machine; what is measured is in bench/. */
const SOON = 10_000;
jest.setTimeout(60_000);
/** Ends when it is told to, at once. */
const OBEDIENT = ['sh', '-c', 'trap exit TERM; while :; do sleep 1 & wait; done'];

const idOf = ({ name }: TestContainer, port = 80) => `${ID_HOST}:${name}:${port}`;
const becomes = (id: string, status: string) => until(async () => (await agent.statusOf(id)) === status, SOON, `${id} is ${status}`);

/** A container that publishes port 80 and is registered as passing. */
async function registered(options: ContainerOptions = {}): Promise<TestContainer> {
  const container = await startContainer({ publish: [80], command: OBEDIENT, ...options });
  await becomes(idOf(container), 'passing');
  return container;
}

/** Every status that watchers of the service saw, in order, each once. */
function watch(service: string): { seen: string[]; stop: () => void } {
  const stop = new AbortController();
  const seen: string[] = [];
  const follow = async () => {
    for (let index = '0'; !stop.signal.aborted; ) {
      const response = await fetch(`${consul.url}/v1/health/service/${service}?index=${index}&wait=30s`, { signal: stop.signal });
      index = response.headers.get('x-consul-index') ?? '0';
      const entries = (await response.json()) as { Checks: { Status: string }[] }[];
      const now =
        entries.length === 0
          ? 'gone'
          : entries.some(({ Checks }) => Checks.every(({ Status }) => Status === 'passing'))
            ? 'passing'
            : 'critical';
      if (seen.at(-1) !== now) seen.push(now);
    }
  };
  follow().catch(() => {});
  return { seen, stop: () => stop.abort() };
}

test('started: registered; ended: gone; started again: registered', async () => {
  await using container = await registered();

  await docker('kill', container.id);
  await becomes(idOf(container), 'none');
  await docker('start', container.id);
  await becomes(idOf(container), 'passing');
  expect(await agent.service(idOf(container))).toMatchObject({
    Port: await container.hostPort(80),
    Meta: { 'toots-container': container.id },
  });

  await docker('rm', '-f', container.id);
  await becomes(idOf(container), 'none');
});

test('a container that takes five seconds to stop is out of service before it dies, and watchers see that', async () => {
  await using container = await registered({
    env: { SERVICE_NAME: 'slow' },
    command: ['sh', '-c', 'trap "sleep 5; exit" TERM; while :; do sleep 1 & wait; done'],
  });
  const watcher = watch('slow');
  await until(() => watcher.seen.includes('passing'), SOON, 'the watcher sees it');

  const stopping = docker('stop', container.id);
  await until(() => watcher.seen.at(-1) === 'critical', 4_000, 'the watcher sees it leave while it still runs');
  expect(await docker('inspect', '-f', '{{.State.Running}}', container.id)).toBe('true');
  const [maintenance] = (await agent.checksOf(idOf(container))).filter(({ CheckID }) => CheckID.startsWith('_service_maintenance'));
  expect(maintenance?.Notes).toContain('being stopped');
  await stopping;
  await until(() => watcher.seen.at(-1) === 'gone', SOON, 'the watcher sees its end');
  watcher.stop();

  expect(watcher.seen).toEqual(['passing', 'critical', 'gone']);
}, 30_000);

test('its own stop signal drains it, HUP changes nothing', async () => {
  await using container = await registered({
    env: { SERVICE_NAME: 'signals' },
    run: ['--stop-signal', 'SIGUSR1'],
    command: ['sh', '-c', 'trap "sleep 2; exit" USR1; trap : HUP; while :; do sleep 1 & wait; done'],
  });
  const before = await registrator.metric('toots_docker_events_total');

  await docker('kill', '-s', 'HUP', container.id);
  await until(async () => (await registrator.metric('toots_docker_events_total')) > before, SOON, 'HUP is heard');
  await docker('kill', '-s', 'USR2', container.id).catch(() => {});
  expect(await agent.statusOf(idOf(container))).toBe('passing');

  await docker('kill', '-s', 'USR1', container.id);
  await becomes(idOf(container), 'critical');
  await becomes(idOf(container), 'none');
}, 30_000);

test('who survives its stop signal is served again', async () => {
  await using container = await registered({
    run: ['--stop-timeout', '1'],
    command: ['sh', '-c', 'trap : TERM; while :; do sleep 1 & wait; done'],
  });

  await docker('kill', '-s', 'TERM', container.id);
  await becomes(idOf(container), 'critical');

  await becomes(idOf(container), 'passing');
  expect(await docker('inspect', '-f', '{{.State.Running}}', container.id)).toBe('true');
}, 30_000);

test('a signal that a label names is not believed', async () => {
  await using container = await registered({
    labels: { signal: '15' },
    command: ['sh', '-c', 'trap : HUP; while :; do sleep 1 & wait; done'],
  });
  const before = await registrator.metric('toots_docker_inspections_total');

  await docker('kill', '-s', 'HUP', container.id);
  await until(async () => (await registrator.metric('toots_docker_inspections_total')) > before, SOON, 'it is inspected');

  expect(await agent.statusOf(idOf(container))).toBe('passing');
});

test('paused: in maintenance; unpaused: served; paused and killed: gone', async () => {
  await using container = await registered();

  await docker('pause', container.id);
  await becomes(idOf(container), 'critical');
  await docker('unpause', container.id);
  await becomes(idOf(container), 'passing');
  await docker('pause', container.id);
  await becomes(idOf(container), 'critical');
  await docker('kill', container.id);
  await becomes(idOf(container), 'none');
});

test('paused when it is registered: never passing, and served when it goes on', async () => {
  await using container = await registered({ env: { SERVICE_NAME: 'frozen' } });
  await docker('pause', container.id);
  await becomes(idOf(container), 'critical');
  const watcher = watch('frozen');

  await fetch(`${consul.url}/v1/agent/service/deregister/${idOf(container)}`, { method: 'PUT' });
  await until(() => watcher.seen.includes('gone') && watcher.seen.at(-1) === 'critical', SOON, 'it is registered again');
  expect(watcher.seen).not.toContain('passing');
  watcher.stop();

  await docker('unpause', container.id);
  await becomes(idOf(container), 'passing');
});

test('renamed: the new ID comes before the old one goes', async () => {
  await using container = await registered({ env: { SERVICE_NAME: 'named' } });
  const watcher = watch('named');
  await until(() => watcher.seen.includes('passing'), SOON, 'the watcher sees it');

  await docker('rename', container.id, `${container.name}-2`);
  await becomes(`${idOf({ ...container, name: `${container.name}-2` })}`, 'passing');
  await becomes(idOf(container), 'none');
  watcher.stop();

  expect(watcher.seen).toEqual(['passing']);
});

test("Docker's HEALTHCHECK is followed", async () => {
  await using container = await startContainer({
    publish: [80],
    run: ['--health-cmd', 'test -e /tmp/well', '--health-interval', '300ms', '--health-retries', '1'],
    command: ['sh', '-c', 'mkdir -p /tmp; trap exit TERM; while :; do sleep 1 & wait; done'],
  });

  await becomes(idOf(container), 'critical');
  await docker('exec', container.id, 'touch', '/tmp/well');
  await becomes(idOf(container), 'passing');
  await docker('exec', container.id, 'rm', '/tmp/well');
  await becomes(idOf(container), 'critical');
}, 30_000);

test('an operator’s maintenance is neither cleared by ours nor left behind', async () => {
  await using container = await registered();
  const id = idOf(container);

  await agent.maintain(id, true);
  await docker('pause', container.id);
  await until(
    async () => (await registrator.status()).containers.find((one) => one.id === container.id)?.phase === 'paused',
    SOON,
    'the pause is known',
  );
  await docker('unpause', container.id);
  await until(
    async () => (await registrator.status()).containers.find((one) => one.id === container.id)?.phase === 'up',
    SOON,
    'the end of the pause is known',
  );
  const round = (await registrator.status()).lastRound?.at;
  await until(async () => (await registrator.status()).lastRound?.at !== round, SOON, 'a round has passed');
  expect((await agent.checksOf(id)).map(({ Notes }) => Notes)).toEqual(['by hand']);

  await docker('kill', container.id);
  await becomes(id, 'none');
  await docker('start', container.id);
  await becomes(id, 'passing');
}, 30_000);

test('with -internal, connecting and disconnecting networks is followed', async () => {
  const network = `toots-test-${process.pid}`;
  await using other = await startRegistrator({ consul, owner: 'internal', args: ['-internal', '--hostname', 'inner', '-explicit'] });
  await docker('network', 'create', network);
  try {
    await using container = await startContainer({
      env: { SERVICE_80_NAME: 'inner', SERVICE_NETWORK: network },
      run: ['--expose', '80'],
      command: OBEDIENT,
    });
    const id = `inner:${container.name}:80`;
    await until(
      async () => (await other.status()).problems.some(({ option }) => option === 'SERVICE_NETWORK'),
      SOON,
      'it is not on that network',
    );

    await docker('network', 'connect', network, container.id);
    await becomes(id, 'passing');
    expect((await agent.service(id))?.Address).toBe(
      await docker('inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, container.id),
    );

    await docker('network', 'disconnect', network, container.id);
    await becomes(id, 'none');
  } finally {
    await docker('network', 'rm', network);
  }
}, 60_000);

test('with -deregister on-success, who ends with an error stays, in maintenance, until it is removed', async () => {
  await using other = await startRegistrator({
    consul,
    owner: 'on-success',
    args: ['-deregister', 'on-success', '--hostname', 'careful', '-explicit'],
  });
  const run = (code: number) =>
    startContainer({
      publish: [80],
      env: { SERVICE_80_NAME: `ends-${code}` },
      command: ['sh', '-c', `trap "exit ${code}" USR1; while :; do sleep 1 & wait; done`],
    });
  await using bad = await run(3);
  await using good = await run(0);
  const [badId, goodId] = [bad, good].map(({ name }) => `careful:${name}:80`) as [string, string];
  await becomes(badId, 'passing');
  await becomes(goodId, 'passing');

  await docker('kill', '-s', 'USR1', bad.id, good.id);
  await becomes(goodId, 'none');
  await becomes(badId, 'critical');
  const phase = async () => (await other.status()).containers.find(({ id }) => id === bad.id)?.phase;
  await until(async () => (await phase()) === 'failed', SOON, 'its end is inspected');
  expect(await agent.statusOf(badId)).toBe('critical');

  await docker('rm', bad.id);
  await becomes(badId, 'none');
}, 60_000);

test('two hundred quick restarts, ten containers at once: each time it is registered, with its port', async () => {
  const published = await Promise.all([1, 2].map(() => registered()));
  const onHost = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      startContainer({ run: ['--network', 'host'], env: { [`SERVICE_${9_000 + index}_NAME`]: 'x' }, command: OBEDIENT }),
    ),
  );
  const containers = [...published, ...onHost];
  const restarted = async (container: TestContainer, id: string, round: number) => {
    await docker('restart', '-t', '0', container.id);
    const port = published.includes(container) ? await container.hostPort(80) : Number(id.split(':').at(-1));
    await until(
      async () => (await agent.service(id))?.Port === port && (await agent.statusOf(id)) === 'passing',
      SOON,
      `${id} is passing on port ${port} after restart ${round}`,
    );
  };
  try {
    await Promise.all(
      containers.map(async (container, index) => {
        const id = idOf(container, index < published.length ? 80 : 9_000 + index - published.length);
        for (let round = 1; round <= 20; round += 1) await restarted(container, id, round);
      }),
    );
  } finally {
    await Promise.all(containers.map((container) => container[Symbol.asyncDispose]()));
  }
  await until(async () => !(await agent.ids()).some((id) => containers.some(({ name }) => id.includes(name))), SOON, 'all are gone');
}, 180_000);

test('ends within five seconds of TERM, exit 0, and leaves everything registered', async () => {
  await using container = await registered();
  const other = await startRegistrator({
    consul: `consul://127.0.0.1:${consul.httpPort}`,
    owner: 'leaver',
    args: ['--hostname', 'leaver'],
  });
  await becomes(`leaver:${container.name}:80`, 'passing');

  const begun = performance.now();
  expect(await other.program.stop()).toBe(0);

  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(await agent.statusOf(`leaver:${container.name}:80`)).toBe('passing');
}, 30_000);

test.each([
  ['maintenance', 'critical'],
  ['deregister', 'none'],
])(
  '-shutdown %s',
  async (shutdown, status) => {
    await using container = await registered();
    const first = await startRegistrator({ consul, owner: shutdown, args: ['--hostname', `leaver-${shutdown}`, '-shutdown', shutdown] });
    const id = `leaver-${shutdown}:${container.name}:80`;
    await becomes(id, 'passing');

    expect(await first.program.stop()).toBe(0);
    expect(await agent.statusOf(id)).toBe(status);

    await using again = await startRegistrator({ consul, owner: shutdown, args: ['--hostname', `leaver-${shutdown}`] });
    await becomes(id, 'passing');
    expect((await again.status()).owner).toBe(shutdown);
  },
  60_000,
);
