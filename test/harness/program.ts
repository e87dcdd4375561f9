import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const PROJECT_FOLDER = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/dist\/?$/, '');

/** How long a program may take to end after TERM before it is killed, milliseconds. */
const END_WITHIN_MS = 10_000;

export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  /** Everything it wrote so far, stdout and stderr together. */
  readonly output: () => string;
  /** Its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly hasEnded: () => boolean;
  readonly signal: (name: NodeJS.Signals) => void;
  /** TERM, and KILL when that is not enough; answers what `ended` does. */
  readonly stop: () => Promise<number | NodeJS.Signals>;
}

export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to the environment; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Starts a real program; it is ended when the test is done with it. */
export async function startProgram(file: string, args: readonly string[], options: ProgramOptions = {}): Promise<RunningProgram> {
  const child = spawn(file, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = endOf(child);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
    const how = await ended;
    clearTimeout(late);
    return how;
  };
  return {
    pid,
    output: () => output,
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    signal: (name) => child.kill(name),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** Starts `./toots.sh` with these words. */
export async function startToots(args: readonly string[], options: ProgramOptions = {}): Promise<RunningProgram> {
  return await startProgram(`${PROJECT_FOLDER}/toots.sh`, args, options);
}

async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  return await new Promise((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1));
    child.once('error', () => resolve(127));
  });
}
