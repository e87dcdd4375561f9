/**
 * How soon a container that starts is served by the edge: Docker, registrator, Consul, templater, HAProxy, a request.
 *   npm run build && node dist/bench/end-to-end.js     prints, and writes bench/results/end-to-end.md
 * A Docker engine, consul and haproxy on this machine, which should do nothing else. Half a minute.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as ask, type IncomingMessage } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { docker, testImage } from '../test/harness/docker.ts';
import { startPlatform } from '../test/harness/platform.ts';
import { PROJECT_FOLDER } from '../test/harness/program.ts';
import { request } from '../test/harness/request.ts';
import { until } from '../test/harness/until.ts';
import { probe } from './probe.ts';
import { quantiles } from './quantiles.ts';

const TIMES = 20;
const HOST = 'bench-e2e.service';
const CALM_MS = 700;

/** Serves from its first process on: what a container does before it listens is not ours. */
const SERVE = ['httpd', '-f', '-p', '80', '-h', '/etc'];
const PATH = '/hostname';
const RUN = ['-p', '0.0.0.0::80', '-e', 'SERVICE_NAME=bench-e2e', '-e', 'SERVICE_TAGS=haproxy', await testImage(), ...SERVE];
const loadBefore = (loadavg()[0] ?? 0).toFixed(1);

await using platform = await startPlatform();

/** When this container answers, milliseconds since the epoch. */
async function answeredBy(id: string): Promise<number> {
  await probe(platform.httpPort, HOST, ({ said }) => said.trim() === id.slice(0, 12), PATH);
  return Date.now();
}

/** Asks the engine itself: the client's own start would take a core meanwhile. */
async function start(id: string): Promise<void> {
  const asked = ask({ socketPath: '/var/run/docker.sock', method: 'POST', path: `/containers/${id}/start` }).end();
  const [{ statusCode }] = (await once(asked, 'response')) as [IncomingMessage];
  if (statusCode !== 204) throw new Error(`start ${id}: ${statusCode}`);
}

/** When the engine says that a container started, milliseconds since the epoch. */
async function startedAt(id: string): Promise<number> {
  return Date.parse(await docker('inspect', '-f', '{{.State.StartedAt}}', id));
}

const first = await docker('run', '-d', ...RUN);
await until(async () => (await request({ port: platform.httpPort, host: HOST, path: PATH })).kind === 'answer', 10_000, 'the edge answers');
await answeredBy(first);
const delays: number[] = [];
for (let i = 0; i < TIMES; i += 1) {
  await wait(CALM_MS);
  const next = await docker('create', ...RUN);
  const [served] = await Promise.all([answeredBy(next), start(next)]);
  delays.push(served - (await startedAt(next)));
  await docker('rm', '-f', next);
}
await docker('rm', '-f', first);

const row = `start of a container (\`StartedAt\`) → first answer through the edge, ${TIMES} times, one more instance of a service each time: ${quantiles(delays)}`;
console.log(row);
await writeFile(
  join(PROJECT_FOLDER, 'bench', 'results', 'end-to-end.md'),
  `# From a container to an answer\n\n\`npm run build && node dist/bench/end-to-end.js\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores (load ${loadBefore} before it began), everything on one machine.\n\n- ${row}\n`,
);
