import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Logger } from '../../daemon/log.ts';
import { sleep } from '../../daemon/sleep.ts';
import { type Environment, type EnvRules, environmentFor } from './environment.ts';
import { commandWords } from './run-command.ts';

export interface SuperviseOptions {
  readonly command: string;
  /** What it is told besides this program's own environment, and what of both it may see. */
  readonly told: Environment;
  readonly envRules: EnvRules;
  readonly killSignal: NodeJS.Signals;
  readonly killTimeoutMs: number;
  /** Empty: a change starts the program anew. */
  readonly reloadSignal: NodeJS.Signals | '';
  /** A random time up to this is waited before the program is told, so that a cluster does not do so at once. */
  readonly splayMs: number;
  /** Signals that are the program's, whoever gets them. */
  readonly forwarded: readonly NodeJS.Signals[];
  readonly log: Logger;
}

export interface Supervisor {
  /** Starts the program; a second call does nothing. */
  readonly start: () => void;
  /** Files that it may use were written. Told again while it is being told: once more, with the newest. */
  readonly changed: () => void;
  /** Its exit code, when it ends by itself; 128 and the signal's number when a signal ended it. */
  readonly ended: Promise<number>;
  /** Ends it for good: the kill signal, and KILL when that is not enough in time. */
  readonly stop: () => Promise<void>;
}

/** How long a supervised program may take to end when the templater ends, which ends without its parts after 2.5 s: KILL has to come before. */
const STOP_WITHIN_MS = 2_000;

/** Runs a program beside the templates, as consul-template's exec mode does. Its lifetime is the signal's, and it is ended with it by `stop`. */
export function createSupervisor(options: SuperviseOptions, signal: AbortSignal): Supervisor {
  const { log, killSignal, killTimeoutMs, reloadSignal, splayMs, forwarded } = options;
  let child: ChildProcess | undefined;
  let isReplacing = false;
  let isChanged = false;
  let telling: Promise<void> | undefined;
  let finish: (code: number) => void = () => {};
  const ended = new Promise<number>((resolve) => (finish = resolve));

  function launch(): void {
    const [file = '', ...args] = programWords(options.command);
    const started = spawn(file, args, {
      env: environmentFor(options.envRules, options.told, process.env),
      stdio: 'inherit',
      detached: true,
    });
    child = started;
    log.info({ command: options.command, pid: started.pid }, 'program started');
    started.once('error', (err) => {
      log.error({ command: options.command, err }, 'program cannot be started');
      finish(127);
    });
    started.once('exit', (code, name) => {
      if (isReplacing || child !== started) return;
      log.info({ command: options.command, code, signal: name }, 'program ended');
      finish(code ?? 128 + (name === null ? 0 : constants.signals[name]));
    });
  }

  async function tell(): Promise<void> {
    while (isChanged && !signal.aborted) {
      isChanged = false;
      await sleep(Math.random() * splayMs, signal);
      if (signal.aborted || child === undefined) return;
      if (reloadSignal !== '') {
        log.info({ signal: reloadSignal }, 'program told of the change');
        sendTo(child, reloadSignal);
      } else {
        isReplacing = true;
        await end(child, killSignal, killTimeoutMs);
        isReplacing = false;
        if (!signal.aborted) launch();
      }
    }
  }

  const forward = (name: NodeJS.Signals) => {
    if (child !== undefined) sendTo(child, name);
  };
  return {
    ended,
    start: () => {
      if (child !== undefined || signal.aborted) return;
      for (const name of forwarded) process.on(name, forward);
      launch();
    },
    changed: () => {
      if (child === undefined) return;
      isChanged = true;
      telling ??= tell().finally(() => (telling = undefined));
    },
    stop: async () => {
      for (const name of forwarded) process.off(name, forward);
      isReplacing = true;
      if (child !== undefined) await end(child, killSignal, Math.min(killTimeoutMs, STOP_WITHIN_MS));
    },
  };
}

async function end(child: ChildProcess, name: NodeJS.Signals, withinMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  sendTo(child, name);
  const late = setTimeout(() => sendTo(child, 'SIGKILL'), withinMs);
  await gone;
  clearTimeout(late);
}

/** Without a shell where none is needed: a shell in between would be ended by signals that the program handles. */
function programWords(command: string): readonly string[] {
  return /^[\w\s./:=@%+,-]+$/.test(command) ? command.trim().split(/\s+/) : commandWords(command);
}

/** To its process group: a shell's children too. */
function sendTo({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended in the meantime.
  }
}

/** Starts the program once everything is rendered; answers its exit code when it ends by itself. */
export async function supervise(supervisor: Supervisor, ready: Promise<void>, signal: AbortSignal): Promise<number> {
  await ready;
  supervisor.start();
  const told = new Promise<number>((resolve) => signal.addEventListener('abort', () => resolve(0), { once: true }));
  const code = signal.aborted ? 0 : await Promise.race([supervisor.ended, told]);
  await supervisor.stop();
  return code;
}
