import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { TestConsul } from './consul.ts';
import { freePorts } from './free-port.ts';
import { type RunningProgram, startToots } from './program.ts';
import { until } from './until.ts';

/** What `GET /status` of a registrator answers, as far as tests look at it. */
export interface RegistratorStatus {
  readonly owner: string;
  readonly problems: readonly { subject: string; option?: string; value?: string; reason: string; related?: readonly string[] }[];
  readonly holds: readonly unknown[];
  readonly lastRound: { at: string; differences: number; services: number } | null;
  readonly docker: { state: string; why?: string };
  readonly consul: { state: string; why?: string };
  readonly containers: readonly {
    id: string;
    name: string;
    phase: string;
    why?: string;
    services: readonly { id: string; state: string; why?: string; address?: string }[];
  }[];
}

export interface TestRegistrator extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly status: () => Promise<RegistratorStatus>;
  readonly isReady: () => Promise<boolean>;
  /** One of its own numbers, summed over its labels. */
  readonly metric: (name: string) => Promise<number>;
}

export interface RegistratorOptions {
  readonly consul: Pick<TestConsul, 'httpPort'> | string;
  /** Of the engine; the one of this machine unless said. */
  readonly docker?: string;
  readonly owner?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Does not wait until it is ready. */
  readonly isImpatient?: boolean;
}

/** The engine of this machine. */
export const DOCKER = 'unix:///var/run/docker.sock';

/** How the IDs of this machine begin. */
export const ID_HOST = hostname();

/** A real `toots registrator`; it is ready when this resolves. */
export async function startRegistrator(options: RegistratorOptions): Promise<TestRegistrator> {
  const { consul, docker = DOCKER, owner = 'test', args = [], env } = options;
  const [port = 0] = await freePorts(1);
  const registry = typeof consul === 'string' ? consul : `consul://127.0.0.1:${consul.httpPort}`;
  const words = ['registrator', ...args, '--docker', docker, '--owner', owner, '--api', `127.0.0.1:${port}`, registry];
  const program = await startToots(words, env === undefined ? {} : { env });
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  const registrator: TestRegistrator = {
    program,
    status: async () => (await (await get('/status')).json()) as RegistratorStatus,
    isReady: async () => (await get('/health/ready')).ok,
    metric: async (name) => sumOf(await (await get('/metrics')).text(), name),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
  if (options.isImpatient) return registrator;
  await until(
    () => {
      if (program.hasEnded()) throw new Error('it has ended');
      return registrator.isReady();
    },
    20_000,
    'the registrator is ready',
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${program.output()}`, { cause: error });
  });
  return registrator;
}

function sumOf(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** CPU time that a process has used, milliseconds, and its resident memory, bytes. */
export async function usageOf(pid: number): Promise<{ cpuMs: number; rssBytes: number }> {
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  const rss = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuMs: (Number(stat[11]) + Number(stat[12])) * 10, rssBytes: Number(rss) * 1_024 };
}
