import { expect, test } from '@jest/globals';
import { agentView } from '../harness/agent-view.ts';
import { startConsul } from '../harness/consul.ts';
import { newerDockerd, startEngine, type TestEngine } from '../harness/docker-engine.ts';
import { startRegistrator } from '../harness/registrator.ts';
import { until } from '../harness/until.ts';

const SOON = 20_000;
const OBEDIENT = ['sh', '-c', 'trap exit TERM; while :; do sleep 1 & wait; done'];

/** Debian's own, 20.10, and a newer one, 28. What 29 sends is replayed in registrator-events. */
const ENGINES: readonly [name: string, dockerd: () => Promise<string>][] = [
  ['of this system', async () => 'dockerd'],
  ['newer', newerDockerd],
];

const run = ({ docker }: TestEngine, name: string, port: number, ...args: string[]) =>
  docker('run', '-d', '--name', name, '--network', 'host', '-e', `SERVICE_${port}_NAME=${name}`, ...args, 'toots-test', ...OBEDIENT);

test.each(ENGINES)(
  'the engine (%s) is restarted and its containers go on: nobody leaves, and what happens afterwards is seen',
  async (_, dockerd) => {
    await using consul = await startConsul();
    await using engine = await startEngine({ liveRestore: true, dockerd: await dockerd() });
    const agent = agentView(consul);
    const is = (id: string, status: string) => until(async () => (await agent.statusOf(id)) === status, SOON, `${id} is ${status}`);
    await run(engine, 'stays', 9_301);
    await using registrator = await startRegistrator({ consul, docker: engine.url, args: ['--hostname', 'h'] });
    await is('h:stays:9301', 'passing');
    const writes = await registrator.metric('toots_consul_writes_total');

    await engine.stop();
    await until(async () => (await registrator.status()).docker.state === 'lost', SOON, 'the engine is lost');
    expect(await agent.statusOf('h:stays:9301')).toBe('passing');
    await engine.start();
    await until(async () => (await registrator.status()).docker.state === 'followed', SOON, 'the engine is followed again');
    await until(() => registrator.isReady(), SOON, 'everything is known again');

    expect(await agent.statusOf('h:stays:9301')).toBe('passing');
    expect(await registrator.metric('toots_consul_writes_total')).toBe(writes);
    await run(engine, 'later', 9_302);
    await is('h:later:9302', 'passing');
    await engine.docker('kill', 'stays');
    await is('h:stays:9301', 'none');
  },
  120_000,
);

test.each(ENGINES)(
  'the engine (%s) is restarted and its containers end: who does not come back is gone, who does is registered',
  async (_, dockerd) => {
    await using consul = await startConsul();
    await using engine = await startEngine({ liveRestore: false, dockerd: await dockerd() });
    const agent = agentView(consul);
    const is = (id: string, status: string) => until(async () => (await agent.statusOf(id)) === status, SOON, `${id} is ${status}`);
    await run(engine, 'once', 9_303);
    await run(engine, 'always', 9_304, '--restart', 'always');
    await using registrator = await startRegistrator({ consul, docker: engine.url, args: ['--hostname', 'h'] });
    await is('h:once:9303', 'passing');
    await is('h:always:9304', 'passing');

    await engine.stop();
    await is('h:once:9303', 'none');
    await is('h:always:9304', 'none');
    await engine.start();

    await is('h:always:9304', 'passing');
    expect(await agent.statusOf('h:once:9303')).toBe('none');
    expect(registrator.program.hasEnded()).toBe(false);
  },
  120_000,
);
