import { type ChildProcess, spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { backoffMs } from '../daemon/backoff.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { sleep } from '../daemon/sleep.ts';
import { identify, type ProcessIdentity } from './host/process-identity.ts';

/** A long-running program and how to call it. */
export interface SupervisedProgram<Name extends string = string> {
  readonly name: Name;
  readonly file: string;
  readonly args: readonly string[];
}

export interface SuperviseOptions {
  /** Gets what the program writes, as `NAME.log`. */
  readonly logFolder: string;
  /** Told at each start. */
  readonly started: (identity: ProcessIdentity) => void;
  /** Told when it ended by itself, with how, and when it will be started again. */
  readonly lost: (how: string, againInMs: number) => void;
}

/** Waits between starts, milliseconds; a program that ran for a minute starts anew at once. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const STEADY_AFTER_MS = 60_000;
/** How long it may take to end when it is told to, milliseconds. */
const END_WITHIN_MS = 8_000;

/**
 * Keeps a program running until the signal aborts, then ends it. In a session of its own, so that Ctrl-C of our terminal is not its:
 * we say what ends, and when.
 */
export async function supervise(program: SupervisedProgram, options: SuperviseOptions, signal: AbortSignal): Promise<void> {
  const log = await open(join(options.logFolder, `${program.name}.log`), 'a');
  try {
    let failures = 0;
    while (!signal.aborted) {
      const start = performance.now();
      const how = await runOnce(program, log, options.started, signal);
      if (signal.aborted) return;
      failures = performance.now() - start > STEADY_AFTER_MS ? 1 : failures + 1;
      const againInMs = backoffMs(failures, FIRST_WAIT_MS, LONGEST_WAIT_MS, 0);
      options.lost(how, againInMs);
      await sleep(againInMs, signal);
    }
  } finally {
    await log.close();
  }
}

/** Answers how it ended. */
async function runOnce(
  { name, file, args }: SupervisedProgram,
  log: FileHandle,
  started: (identity: ProcessIdentity) => void,
  signal: AbortSignal,
): Promise<string> {
  const child = spawn(file, args, { detached: true, stdio: ['ignore', log.fd, log.fd] });
  const ended = endOf(child);
  const identity = identify(child.pid ?? 0);
  if (identity !== undefined) started(identity);
  let late: NodeJS.Timeout | undefined;
  const end = () => {
    child.kill('SIGTERM');
    late = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return await ended;
  } catch (cause) {
    throw new OperationError(`start ${name}`, { subject: file, cause });
  } finally {
    signal.removeEventListener('abort', end);
    clearTimeout(late);
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal === null ? `exit ${code}` : `killed by ${signal}`));
  });
}
