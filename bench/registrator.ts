/**
 * How soon the registrator follows, whether it loses anything in a burst, and what many containers cost.
 *   npm run build && node dist/bench/registrator.js     [follow | withdraw | burst | simulate]…     prints, and writes bench/results/registrator.md
 * One part alone replaces its own rows there.
 * Root, a Docker engine, consul. Some minutes; on a machine that does nothing else.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Docker from 'dockerode';
import { agentView } from '../test/harness/agent-view.ts';
import { startConsul, type TestConsul } from '../test/harness/consul.ts';
import { docker, testImage } from '../test/harness/docker.ts';
import { startDockerDouble } from '../test/harness/docker-double.ts';
import { PROJECT_FOLDER } from '../test/harness/program.ts';
import { ID_HOST, startRegistrator, type TestRegistrator, usageOf } from '../test/harness/registrator.ts';
import { until } from '../test/harness/until.ts';
import { quantiles } from './quantiles.ts';

const loadBefore = (loadavg()[0] ?? 0).toFixed(1);
const FOLLOWED = 100;
const WITHDRAWN = 20;
const BURSTS = [
  { containers: 30, times: 10 },
  { containers: 100, times: 1 },
] as const;
const SIMULATED = 2_000;
const IDLE_S = 30;

const engine = new Docker({ host: '', socketPath: '/var/run/docker.sock' });
const RESULTS = join(PROJECT_FOLDER, 'bench/results/registrator.md');
const PARTS = ['follow', 'withdraw', 'burst', 'simulate'] as const;
const parts = PARTS.filter((part) => process.argv.length === 2 || process.argv.includes(part));
const rows: string[] = [];

const report = (what: string, result: string) => {
  rows.push(`| ${what} | ${result} |`);
  console.log(`${what}: ${result}`);
};

const now = () => performance.timeOrigin + performance.now();

/** Waits, by a blocking query, until so many instances of the service pass, or are registered at all; answers when that was seen. */
async function seen(consul: TestConsul, service: string, instances: number, which: 'passing' | 'all' = 'passing'): Promise<number> {
  for (let index = '0'; ; ) {
    const response = await fetch(`${consul.url}/v1/health/service/${service}?${which}&index=${index}&wait=30s`);
    index = response.headers.get('x-consul-index') ?? '0';
    if (((await response.json()) as unknown[]).length === instances) return now();
  }
}

/** When the engine tells of a container's death, to anyone. */
async function deathOf(id: string, listening: AbortSignal): Promise<() => Promise<number>> {
  const stream = await engine.getEvents({ filters: { container: [id], event: ['die'] }, abortSignal: listening });
  const told: number[] = [];
  stream.on('data', () => told.push(now()));
  stream.on('error', () => undefined);
  return async () => {
    await until(() => told.length > 0, 10_000, 'the engine tells of the death');
    return told.splice(0)[0] ?? Number.NaN;
  };
}

async function follow(consul: TestConsul, registrator: TestRegistrator, how: 'stop' | 'kill'): Promise<void> {
  const container = await engine.createContainer({
    Image: await testImage(),
    Cmd: ['sleep', '3600'],
    Env: ['SERVICE_NAME=followed'],
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { Init: true, PortBindings: { '80/tcp': [{ HostPort: '' }] } },
  });
  const [starts, leaves, ends, tellings]: [number[], number[], number[], number[]] = [[], [], [], []];
  const listening = new AbortController();
  const death = await deathOf(container.id, listening.signal);
  try {
    for (let round = 0; round < FOLLOWED; round += 1) {
      const [at] = await Promise.all([seen(consul, 'followed', 1), container.start()]);
      starts.push(at - Date.parse((await container.inspect()).State.StartedAt));
      const [left, gone, told] = await Promise.all([
        seen(consul, 'followed', 0),
        seen(consul, 'followed', 0, 'all'),
        death(),
        wait(100).then(() => container[how]()),
      ]);
      await container.wait();
      const finished = Date.parse((await container.inspect()).State.FinishedAt);
      leaves.push(left - finished);
      ends.push(gone - finished);
      tellings.push(told - finished);
      if (gone - finished > OUTLIER_MS)
        console.log(`round ${round}: ${gone - finished} ms\n${tail(registrator)}\n${tail({ program: consul })}`);
    }
  } finally {
    listening.abort();
    await container.remove({ force: true });
  }
  const measured = `, ${FOLLOWED} times (`;
  if (how === 'stop') report(`start → seen by a watcher${measured}StartedAt → answer of a blocking query)`, quantiles(starts));
  report(`docker ${how}: end → no longer passing${measured}FinishedAt → answer of a blocking query)`, quantiles(leaves));
  report(`docker ${how}: end → gone${measured}the same, no longer registered)`, quantiles(ends));
  report(`docker ${how}: end → the engine tells of it${measured}FinishedAt → \`die\` at another listener)`, quantiles(tellings));
}

/** What takes an instance out of service while its container lives: a stop signal, a pause, a failed HEALTHCHECK. */
async function withdraw(consul: TestConsul): Promise<void> {
  const container = await engine.createContainer({
    Image: await testImage(),
    Cmd: ['sh', '-c', 'trap "sleep 60" TERM; mkdir -p /tmp; touch /tmp/well; while :; do sleep 1 & wait; done'],
    Env: ['SERVICE_NAME=withdrawn'],
    ExposedPorts: { '80/tcp': {} },
    Healthcheck: { Test: ['CMD', 'test', '-e', '/tmp/well'], Interval: 2e8, Timeout: 1e9, Retries: 1 },
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '' }] } },
  });
  const execute = async (...Cmd: string[]) => (await container.exec({ Cmd })).start({});
  const listening = new AbortController();
  const unhealthy: number[] = [];
  const stream = await engine.getEvents({
    filters: { container: [container.id], event: ['health_status'] },
    abortSignal: listening.signal,
  });
  stream.on('data', (line: Buffer) => {
    const { Action, timeNano } = JSON.parse(line.toString());
    if (Action === 'health_status: unhealthy') unhealthy.push(timeNano / 1e6);
  });
  stream.on('error', () => undefined);
  const asked = async (act: () => Promise<unknown>) => {
    await seen(consul, 'withdrawn', 1);
    const left = seen(consul, 'withdrawn', 0);
    await wait(50);
    const begun = now();
    await act();
    return (await left) - begun;
  };
  const [stops, pauses, illnesses]: [number[], number[], number[]] = [[], [], []];
  try {
    for (let round = 0; round < WITHDRAWN; round += 1) {
      await container.start();
      pauses.push(await asked(() => container.pause()));
      await container.unpause();
      await seen(consul, 'withdrawn', 1);
      const ill = seen(consul, 'withdrawn', 0);
      await execute('rm', '/tmp/well');
      const illAt = await ill;
      await until(() => unhealthy.length > 0, 10_000, 'the engine tells of the health');
      illnesses.push(illAt - (unhealthy.splice(0)[0] ?? Number.NaN));
      await execute('touch', '/tmp/well');
      stops.push(await asked(() => container.kill({ signal: 'SIGTERM' })));
      await container.kill();
      await container.wait();
      await seen(consul, 'withdrawn', 0, 'all');
    }
  } finally {
    listening.abort();
    await container.remove({ force: true });
  }
  report(`docker kill -s TERM of one that takes long to end → no longer passing, ${WITHDRAWN} times (from the call)`, quantiles(stops));
  report(`docker pause → no longer passing, ${WITHDRAWN} times (from the call)`, quantiles(pauses));
  report(`unhealthy → critical, ${WITHDRAWN} times (the engine's event → answer of a blocking query)`, quantiles(illnesses));
}

/** What takes this long has a cause that is no matter of speed: both logs tell it. */
const OUTLIER_MS = 1_000;
const tail = ({ program }: { program: { output: () => string } }) => program.output().split('\n').slice(-40).join('\n');

async function burst(consul: TestConsul, count: number, times: number): Promise<void> {
  const view = agentView(consul);
  const image = await testImage();
  const name = (index: number) => `toots-bench-${process.pid}-${index}`;
  const containers = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      engine.createContainer({
        name: name(index),
        Image: image,
        Cmd: ['sleep', '3600'],
        Env: ['SERVICE_NAME=burst'],
        ExposedPorts: { '80/tcp': {} },
        HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '' }] } },
      }),
    ),
  );
  const registered = async () => (await view.ids()).filter((id) => id.startsWith(`${ID_HOST}:toots-bench-${process.pid}-`)).length;
  const [lags, lost]: [number[], { starts: number; ends: number }] = [[], { starts: 0, ends: 0 }];
  try {
    for (let time = 0; time < times; time += 1) {
      await Promise.all(containers.map((container) => container.start()));
      const started = now();
      await until(async () => (await registered()) === count, 10_000, 'all are registered').catch(() => undefined);
      lags.push(now() - started);
      lost.starts += count - (await registered());
      await Promise.all(containers.map((container) => container.kill()));
      await until(async () => (await registered()) === 0, 10_000, 'all are gone').catch(() => undefined);
      lost.ends += await registered();
    }
  } finally {
    await Promise.all(containers.map((container) => container.remove({ force: true })));
  }
  report(`${count} containers started at once, ${times} times: lost starts, lost ends`, `${lost.starts}, ${lost.ends}`);
  report(`${count} at once: last one started → all registered`, quantiles(lags));
}

async function simulate(): Promise<void> {
  await using consul = await startConsul();
  await using double = await startDockerDouble();
  await using registrator = await startRegistrator({ consul, docker: double.url, args: ['--hostname', 'h'] });
  const view = agentView(consul);
  const { pid } = registrator.program;
  const before = await usageOf(pid);
  const begun = now();
  for (let index = 0; index < SIMULATED; index += 1) {
    double.start(`c${index}`, {
      name: `web${index}`,
      ports: { '80/tcp': [String(10_000 + index)] },
      env: { SERVICE_NAME: `web${index % 100}`, SERVICE_TAGS: 'haproxy,weight=100' },
    });
  }
  await until(async () => (await view.ids()).length === SIMULATED, 120_000, 'all are registered');
  const tookMs = now() - begun;
  const after = await usageOf(pid);
  report(`${SIMULATED} simulated containers at once: all registered after`, `${(tookMs / 1_000).toFixed(1)} s`);
  report(
    `registering ${SIMULATED}: inspections, Consul writes`,
    `${double.asked.inspections}, ${await registrator.metric('toots_consul_writes_total')}`,
  );
  report(`registering ${SIMULATED}: own CPU, resident memory`, `${after.cpuMs - before.cpuMs} ms, ${Math.round(after.rssBytes / 1e6)} MB`);

  await wait(5_000);
  const [idle, inspections, writes] = [await usageOf(pid), double.asked.inspections, await registrator.metric('toots_consul_writes_total')];
  await wait(IDLE_S * 1_000);
  const end = await usageOf(pid);
  report(
    `${IDLE_S} s idle with ${SIMULATED}: inspections, Consul writes`,
    `${double.asked.inspections - inspections}, ${(await registrator.metric('toots_consul_writes_total')) - writes}`,
  );
  report(
    `${IDLE_S} s idle with ${SIMULATED}: own CPU, resident memory`,
    `${(((end.cpuMs - idle.cpuMs) / (IDLE_S * 1_000)) * 100).toFixed(1)} %, ${Math.round(end.rssBytes / 1e6)} MB`,
  );

  const lags: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const registered = seen(consul, `more-${index}`, 1);
    await wait(50);
    const started = now();
    double.start(`more-${index}`, { name: `more-${index}`, ports: { '80/tcp': ['9999'] }, env: { SERVICE_NAME: `more-${index}` } });
    lags.push((await registered) - started);
  }
  report(`one more beside ${SIMULATED}, 20 times: event → seen by a watcher`, quantiles(lags));
}

if (parts.some((part) => part !== 'simulate')) {
  await using consul = await startConsul();
  await using registrator = await startRegistrator({ consul, args: ['-ip', '10.0.0.5'] });
  if (parts.includes('follow')) for (const how of ['stop', 'kill'] as const) await follow(consul, registrator, how);
  if (parts.includes('withdraw')) await withdraw(consul);
  if (parts.includes('burst')) for (const { containers, times } of BURSTS) await burst(consul, containers, times);
}
if (parts.includes('simulate')) await simulate();

const machine = `${cpus().length} cores (load ${loadBefore} before it began), Node ${process.version}, Docker ${await docker('version', '-f', '{{.Server.Version}}')}, a Consul agent in dev mode on the same machine`;
const head = [
  '# The registrator, measured',
  '',
  `By \`bench/registrator.ts\`, ${new Date().toISOString().slice(0, 10)}, on ${machine}.`,
  'gliderlabs registrator on such a machine: start 7–9 ms (p50), end 28–33 ms (p50), 30 at once: events lost in six runs of nine.',
  '',
  '| what | result |',
  '|---|---|',
];
const nameOf = (row: string) => row.split('|')[1]?.trim();
const measured = new Map(rows.map((row) => [nameOf(row), row]));
const before =
  parts.length === PARTS.length
    ? []
    : (await readFile(RESULTS, 'utf8').catch(() => '')).split('\n').filter((line) => /^\| (?!what )/.test(line));
const kept = before.map((row) => measured.get(nameOf(row)) ?? row);
await writeFile(RESULTS, `${[...head, ...new Set([...kept, ...rows])].join('\n')}\n`);
