import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../../model/problem.ts';
import { freePorts } from './free-port.ts';
import { askSocket } from './haproxy.ts';
import { type RunningProgram, startToots } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

/** As `GET /status` tells it, as far as tests look at it. */
export interface EdgeStatus {
  readonly problems: readonly Problem[];
  readonly holds: readonly { readonly service: string }[];
  readonly haproxy: { readonly worker: number | null };
  readonly lastRound: {
    readonly did: string;
    readonly why: readonly string[];
    readonly reasons: readonly string[];
    readonly ms: number;
  } | null;
}

export interface TestEdge extends AsyncDisposable {
  readonly bind: string;
  readonly ports: { readonly http: number; readonly https: number; readonly stats: number; readonly api: number };
  readonly runDir: string;
  /** What `./toots.sh` was told to start it. */
  readonly args: readonly string[];
  /** The process of the templater that runs now. */
  readonly templater: () => RunningProgram;
  /** Starts it with the same options, when it does not run. */
  readonly start: () => Promise<void>;
  readonly status: () => Promise<EdgeStatus>;
  /** The sum of a counter of `GET /metrics`, over its labels. */
  readonly metric: (name: string) => Promise<number>;
  /** One command to the worker's Runtime API. */
  readonly ask: (command: string) => Promise<string>;
  readonly askMaster: (command: string) => Promise<string>;
  /** Process ID of the HAProxy master. */
  readonly master: () => Promise<number>;
  /** Process ID of the worker that serves. */
  readonly worker: () => Promise<number>;
}

export interface EdgeOptions {
  readonly consulUrl: string;
  /** `127.0.0.1` unless said. */
  readonly bind?: string;
  /** An existing folder instead of one of its own; it stays. */
  readonly runDir?: string;
  /** Further options of `toots templater`. */
  readonly args?: readonly string[];
}

/**
 * A real templater with `--edge` in a folder and on ports of its own; the HAProxy that it starts is ended with it.
 * The HAProxy is that of the environment's TOOTS_HAPROXY, or the one on PATH. Resolves when it is started, not when it serves.
 */
export async function startEdge({ consulUrl, bind = '127.0.0.1', runDir: given, args = [] }: EdgeOptions): Promise<TestEdge> {
  const folder = await tempDir();
  const runDir = given ?? join(folder.path, 'run');
  const [http = 0, https = 0, stats = 0, api = 0] = await freePorts(4);
  const words = [
    ...['templater', '--edge', '--consul', consulUrl, '--run-dir', runDir, '--bind', bind],
    ...['--http-port', `${http}`, '--https-port', `${https}`, '--stats-port', `${stats}`, '--api', `${bind}:${api}`],
    ...['--domain', 'consul', '--add-domain', 'example.test', ...args],
  ];
  let program = await startToots(words);
  const master = async () => Number.parseInt(await readFile(join(runDir, 'haproxy.pid'), 'utf8'), 10);
  const ask = (command: string) => askSocket(join(runDir, 'haproxy.sock'), command);
  const get = async (path: string) => {
    const response = await fetch(`http://${bind}:${api}${path}`);
    return await response.text();
  };
  return {
    bind,
    ports: { http, https, stats, api },
    runDir,
    args: words,
    templater: () => program,
    start: async () => {
      program = await startToots(words);
    },
    status: async () => JSON.parse(await get('/status')) as EdgeStatus,
    metric: async (name) => {
      const lines = (await get('/metrics')).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    ask,
    askMaster: (command) => askSocket(join(runDir, 'master.sock'), command),
    master,
    worker: async () => Number(/^Pid: (\d+)$/m.exec(await ask('show info'))?.[1]),
    [Symbol.asyncDispose]: async () => {
      await program.stop();
      await endHaproxy(await master().catch(() => undefined), runDir);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** It is no child of ours, so its end is seen by its process alone. A process ID may be another's by now. */
async function endHaproxy(pid: number | undefined, runDir: string): Promise<void> {
  if (pid === undefined) return;
  const isThere = async () => (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(runDir);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isThere())) return;
    process.kill(pid, signal);
    await until(async () => !(await isThere()), 3_000, `HAProxy ${pid} ends`).catch(() => {});
  }
}
