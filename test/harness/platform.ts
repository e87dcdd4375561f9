import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startConsul, type TestConsul } from './consul.ts';
import { freePorts } from './free-port.ts';
import { type RunningProgram, startToots } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

/** A registrator and an edge with a Consul between them, as built; on loopback and private ports. */
export interface TestPlatform extends AsyncDisposable {
  readonly consul: TestConsul;
  readonly registrator: RunningProgram;
  readonly templater: RunningProgram;
  readonly httpPort: number;
  /** What the templater tells at `GET /status`. */
  readonly edgeStatus: () => Promise<unknown>;
}

/** How long a service may take to be ready, milliseconds; the first start builds. */
const READY_WITHIN_MS = 60_000;

/** Starts all three, and the HAProxy that comes with the templater, and waits until both services are ready. */
export async function startPlatform(): Promise<TestPlatform> {
  const folder = await tempDir();
  const consul = await startConsul();
  const [httpPort = 0, httpsPort = 0, statsPort = 0, registratorApi = 0, templaterApi = 0] = await freePorts(5);
  const registrator = await startToots([
    'registrator',
    '-ip',
    '127.0.0.1',
    '--api',
    `127.0.0.1:${registratorApi}`,
    consul.url.replace('http', 'consul'),
  ]);
  const templater = await startToots([
    ...['templater', '--edge', '--consul', consul.url, '--run-dir', folder.path, '--bind', '127.0.0.1'],
    ...['--http-port', `${httpPort}`, '--https-port', `${httpsPort}`, '--stats-port', `${statsPort}`, '--api', `127.0.0.1:${templaterApi}`],
  ]);
  const dispose = async () => {
    await Promise.all([registrator.stop(), templater.stop()]);
    await endHaproxy(folder.path);
    await consul[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  const isReady = async (port: number) => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok;
  try {
    await until(async () => (await isReady(registratorApi)) && (await isReady(templaterApi)), READY_WITHIN_MS, 'both services are ready');
  } catch (error) {
    const said = `${registrator.output()}\n${templater.output()}`;
    await dispose();
    throw new Error(`${String(error)}\n${said}`, { cause: error });
  }
  return {
    consul,
    registrator,
    templater,
    httpPort,
    edgeStatus: async () => (await fetch(`http://127.0.0.1:${templaterApi}/status`)).json(),
    [Symbol.asyncDispose]: dispose,
  };
}

/** HAProxy outlives the templater: its master is ended by its pid file. */
async function endHaproxy(runDir: string): Promise<void> {
  const text = await readFile(join(runDir, 'haproxy.pid'), 'utf8').catch(() => '');
  const pid = Number(text.trim().split('\n')[0]);
  if (!(pid > 1)) return;
  process.kill(pid, 'SIGTERM');
  await until(async () => (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')).includes(') Z'), 10_000, 'HAProxy has ended');
}
