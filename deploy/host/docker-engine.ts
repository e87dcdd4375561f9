import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExecaError, execa } from 'execa';
import { findProgram } from '../../daemon/find-program.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { sleep } from '../../daemon/sleep.ts';
import { endProcess, identify, type ProcessIdentity } from './process-identity.ts';

/** The engine's socket: the one place, whatever DOCKER_HOST says, because its containers have to be on this machine. */
export const ENGINE_URL = 'unix:///var/run/docker.sock';

/** How long an engine may take to answer after its start, and to end, milliseconds. */
const START_WITHIN_MS = 60_000;
const END_WITHIN_MS = 30_000;
const ASK_EVERY_MS = 100;

/** Runs the `docker` client; answers what it printed, trimmed. @throws OperationError with its words. */
export async function docker(args: readonly string[], signal?: AbortSignal): Promise<string> {
  try {
    const { stdout } = await execa('docker', args, {
      stdin: 'ignore',
      env: { DOCKER_HOST: ENGINE_URL, DOCKER_BUILDKIT: '0' },
      ...(signal !== undefined && { cancelSignal: signal }),
    });
    return stdout.trim();
  } catch (cause) {
    if (!(cause instanceof ExecaError) || signal?.aborted) throw cause;
    throw new OperationError(`docker ${args[0]}`, {
      subject: args.at(-1) ?? '',
      cause,
      hint: String(cause.stderr).trim() || cause.shortMessage,
    });
  }
}

/** The version of the engine that answers, or undefined when none does. */
export async function engineVersion(signal?: AbortSignal): Promise<string | undefined> {
  return await docker(['version', '-f', '{{.Server.Version}}'], signal).catch((error: unknown) => {
    if (error instanceof OperationError) return undefined;
    throw error;
  });
}

/** Whether an engine says no to this user: it may well be there. */
export async function isEngineForbidden(): Promise<boolean> {
  return await docker(['version', '-f', '{{.Server.Version}}']).then(
    () => false,
    (error: unknown) => error instanceof OperationError && isForbidden(error.hint ?? ''),
  );
}

/** Whether the words of the `docker` client mean that this user may not speak to the engine. Pure. */
export function isForbidden(said: string): boolean {
  return /permission denied/i.test(said);
}

/** What an engine is to us: one that ran before is never stopped, one that we started may be. */
export interface Engine {
  readonly version: string;
  readonly started: ProcessIdentity | undefined;
}

/** Starts the Docker engine if none answers. @throws OperationError with the end of its log when it does not come. */
export async function ensureEngine(logFolder: string, signal: AbortSignal): Promise<Engine> {
  const running = await engineVersion(signal);
  if (running !== undefined) return { version: running, started: undefined };
  const started = await startEngine(logFolder);
  try {
    return { version: await answering(started, logFolder, signal), started };
  } catch (error) {
    await endProcess(started, END_WITHIN_MS);
    throw error;
  }
}

async function answering(started: ProcessIdentity, logFolder: string, signal: AbortSignal): Promise<string> {
  const end = performance.now() + START_WITHIN_MS;
  while (performance.now() < end && !signal.aborted) {
    const version = await engineVersion(signal);
    if (version !== undefined) return version;
    if (identify(started.pid) === undefined) break;
    await sleep(ASK_EVERY_MS, signal);
  }
  signal.throwIfAborted();
  const log = join(logFolder, 'dockerd.log');
  const words = (await readFile(log, 'utf8')).trim().split('\n').slice(-5).join('\n');
  throw new OperationError('start the Docker engine', { subject: log, hint: `it does not answer; the end of its log:\n${words}` });
}

/** In a session of its own, so that Ctrl-C of our terminal is not its. */
async function startEngine(logFolder: string): Promise<ProcessIdentity> {
  await mkdir(logFolder, { recursive: true });
  const log = await open(join(logFolder, 'dockerd.log'), 'a');
  const child = spawn(findProgram('dockerd') ?? 'dockerd', [], { detached: true, stdio: ['ignore', log.fd, log.fd] });
  child.on('error', () => {}); // without a process there is no identity, see below
  child.unref();
  await log.close();
  const started = identify(child.pid ?? 0);
  if (started === undefined) throw new OperationError('start the Docker engine', { subject: 'dockerd', hint: 'it ended at once' });
  return started;
}

/** Ends an engine that we started, unless containers of others run on it by now. Answers how many those are. */
export async function endEngine(started: ProcessIdentity): Promise<{ readonly othersContainers: number }> {
  const others = await docker(['ps', '-q']).then(
    (ids) => ids.split('\n').filter((id) => id !== '').length,
    () => 0,
  );
  if (others === 0) await endProcess(started, END_WITHIN_MS);
  return { othersContainers: others };
}
