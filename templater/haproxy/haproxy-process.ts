import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { OperationError } from '../../daemon/operation-error.ts';
import { sleep } from '../../daemon/sleep.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import type { EdgeFiles } from './edge-settings.ts';
import type { LoadedHaproxy } from './haproxy-answers.ts';
import { readLoaded } from './observe.ts';

/** How long HAProxy may take to load a configuration, milliseconds. */
const LOAD_WITHIN_MS = 20_000;
const ASK_EVERY_MS = 2;
/** No HAProxy has read a configuration and started a worker sooner, milliseconds. */
const LOAD_TAKES_MS = 10;
const MASTER_WITHIN_MS = 15_000;
/** A master before 3.1 starts itself anew at each reload, and does not listen until it has, milliseconds. */
const MASTER_BACK_WITHIN_MS = 1_000;

/** The processes of a HAProxy in master-worker mode, as its master tells them (management guide 9.4). */
export interface HaproxyProcesses {
  readonly master: number;
  /** Reloads that failed since the master started. */
  readonly failedReloads: number;
  /** Workers of earlier configurations that still have connections. */
  readonly oldWorkers: number;
}

/** Starts HAProxy as a process of its own, which outlives this one, and waits until it serves. @throws OperationError when it does not. */
export async function startHaproxy(haproxy: string, runDir: string, files: EdgeFiles, signal: AbortSignal): Promise<LoadedHaproxy> {
  const log = await open(files.log, 'a', 0o644);
  const child = spawn(haproxy, ['-W', '-S', `${files.masterSocket},mode,600`, '-f', files.config, '-p', files.pidFile], {
    cwd: runDir,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  let ended: string | undefined;
  child.on('error', (error) => (ended = error.message));
  child.on('exit', (code, name) => (ended = `it ended with ${code ?? name}`));
  child.unref();
  try {
    return await loaded(files, signal, () => ended);
  } catch (cause) {
    throw new OperationError('start HAProxy', {
      subject: files.config,
      cause,
      hint: `${cause instanceof Error ? cause.message : cause}: ${await lastAlerts(files.log)}`,
    });
  } finally {
    await log.close();
  }
}

/** Waits for a HAProxy that somebody else starts from the files that were written. @throws OperationError when none comes. */
export async function awaitHaproxy(files: EdgeFiles, fingerprint: string, signal: AbortSignal): Promise<LoadedHaproxy> {
  try {
    return await loaded(files, signal, () => undefined, fingerprint);
  } catch (cause) {
    throw new OperationError('wait for HAProxy', {
      subject: files.runtimeSocket,
      cause,
      hint: 'its own container must run it in this folder',
    });
  }
}

async function loaded(
  files: EdgeFiles,
  signal: AbortSignal,
  ended: () => string | undefined,
  fingerprint?: string,
): Promise<LoadedHaproxy> {
  const end = performance.now() + LOAD_WITHIN_MS;
  for (;;) {
    signal.throwIfAborted();
    const answer = await readLoaded(files, signal).catch(() => undefined);
    if (answer !== undefined && (fingerprint === undefined || answer.fingerprint === fingerprint)) return answer;
    const why = ended();
    if (why !== undefined) throw new Error(why);
    if (performance.now() > end) throw new Error(`it does not serve the configuration after ${LOAD_WITHIN_MS} ms`);
    await sleep(ASK_EVERY_MS, signal);
  }
}

/**
 * Has the master load the configuration anew, and waits until the new worker carries `fingerprint`; `failedReloads` is how many the master counted before.
 * @throws OperationError when it does not.
 */
export async function reloadHaproxy(
  files: EdgeFiles,
  fingerprint: string,
  failedReloads: number,
  signal: AbortSignal,
): Promise<LoadedHaproxy> {
  const said = await tellMaster(files.masterSocket, 'reload', signal);
  // It needs the processor now: nobody asks before it can be done.
  await sleep(LOAD_TAKES_MS, signal);
  let failed = /Success=0/.test(said) ? said : undefined;
  const watch = setInterval(() => {
    isThere(files).then(
      (there) => (failed ??= there ? undefined : 'it has ended meanwhile'),
      () => {},
    );
    readProcesses(files, signal).then(
      (now) => (failed ??= now.failedReloads > failedReloads ? 'the master says that the reload failed' : undefined),
      () => {},
    );
  }, 100);
  try {
    return await loaded(files, signal, () => failed, fingerprint);
  } catch (cause) {
    throw new OperationError('reload HAProxy', {
      subject: files.config,
      cause,
      hint: `${cause instanceof Error ? cause.message : cause}: ${await lastAlerts(files.log)}`,
    });
  } finally {
    clearInterval(watch);
  }
}

const HUNG_UP = ['ECONNRESET', 'EPIPE'];

/** @throws OperationError when no master answers at the socket. */
export async function readProcesses(files: EdgeFiles, signal: AbortSignal): Promise<HaproxyProcesses> {
  try {
    return await askProcesses(files, signal);
  } catch (error) {
    if (!(error instanceof OperationError && isSystemError(error.cause, 'ENOENT') && (await makesItsSocketAnew(files)))) throw error;
    return await askProcesses(files, signal);
  }
}

/** A master whose socket somebody removed makes it anew when it reloads, which a signal has it do too (management guide 4). Whether there is such a master. */
async function makesItsSocketAnew(files: EdgeFiles): Promise<boolean> {
  const pid = await readPid(files);
  if (pid === undefined || !isProcessOf(files, pid)) return false;
  process.kill(pid, 'SIGUSR2');
  return true;
}

async function askProcesses({ masterSocket }: EdgeFiles, signal: AbortSignal): Promise<HaproxyProcesses> {
  const end = performance.now() + MASTER_BACK_WITHIN_MS;
  for (;;) {
    // One that starts itself anew meanwhile hangs up, with or without a word.
    const said = await tellMaster(masterSocket, 'show proc', signal).catch((error: unknown) => {
      const hungUp = error instanceof OperationError && HUNG_UP.some((code) => isSystemError(error.cause, code));
      if (!hungUp) throw error;
      return '';
    });
    if (said.includes('master')) return parseProcesses(said);
    if (performance.now() > end)
      throw new OperationError("tell HAProxy's master: show proc", { subject: masterSocket, hint: 'it hangs up without an answer' });
    await sleep(ASK_EVERY_MS, signal);
  }
}

/** The answer to `show proc`. Pure. */
export function parseProcesses(text: string): HaproxyProcesses {
  const [, pid = '0', failed = '0'] = /^(\d+)\s+master\s+\d+(?:\s+\[failed: (\d+)\])?/m.exec(text) ?? [];
  const old = /# old workers\n((?:\d+\s+worker.*\n?)*)/.exec(text)?.[1] ?? '';
  return { master: Number(pid), failedReloads: Number(failed), oldWorkers: old.split('\n').filter((line) => line.trim() !== '').length };
}

/** One command to the master, which answers and closes once our side is closed, or when it starts itself anew. */
async function tellMaster(socketPath: string, command: string, signal: AbortSignal): Promise<string> {
  let said = '';
  let socket: Socket | undefined;
  const abort = () => socket?.destroy(new Error('told to end'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    socket = await connected(socketPath, signal);
    socket.setTimeout(MASTER_WITHIN_MS, () => socket?.destroy(new Error(`no answer within ${MASTER_WITHIN_MS} ms`)));
    socket.end(`${command}\n`);
    for await (const chunk of socket) said += chunk;
    return said;
  } catch (cause) {
    // A master that starts itself anew may reset the connection after the command was taken.
    if (command === 'reload' && isSystemError(cause, 'ECONNRESET')) return said;
    throw new OperationError(`tell HAProxy's master: ${command}`, { subject: socketPath, cause });
  } finally {
    signal.removeEventListener('abort', abort);
    socket?.destroy();
  }
}

/** A connection to the master, as soon as it listens. */
async function connected(socketPath: string, signal: AbortSignal): Promise<Socket> {
  const end = performance.now() + MASTER_BACK_WITHIN_MS;
  for (;;) {
    const socket = connect({ path: socketPath });
    try {
      await once(socket, 'connect', { signal });
      return socket;
    } catch (error) {
      socket.destroy();
      const isAway = isSystemError(error, 'ECONNREFUSED') || isSystemError(error, 'ENOENT');
      if (!isAway || performance.now() > end) throw error;
      await sleep(ASK_EVERY_MS, signal);
    }
  }
}

/**
 * Whether a HAProxy runs in the run directory, in this or another container: a socket of it is listened on, or its process is there and starting.
 * @throws OperationError when that cannot be known: a HAProxy that does not answer is not an absent one, and two would share the ports.
 */
export async function isThere(files: EdgeFiles): Promise<boolean> {
  return (await isListenedOn(files.runtimeSocket)) || (await isListenedOn(files.masterSocket)) || (await isProcess(files));
}

/** Whether somebody listens on a unix socket. @throws OperationError when it can be neither reached nor said to be free. */
export function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (cause) => {
      if (isSystemError(cause, 'ENOENT') || isSystemError(cause, 'ECONNREFUSED')) resolve(false);
      else reject(new OperationError('reach HAProxy', { subject: path, cause }));
    });
  });
}

async function isProcess(files: EdgeFiles): Promise<boolean> {
  const pid = await readPid(files);
  return pid !== undefined && isProcessOf(files, pid);
}

async function readPid({ pidFile }: EdgeFiles): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  return Number.isNaN(pid) ? undefined : pid;
}

/** Whether this process runs from our configuration. One in another container cannot be seen, and is none. Of all ways to ask the cheapest. */
export function isProcessOf({ config }: EdgeFiles, pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(config);
  } catch {
    return false;
  }
}

/** What HAProxy said last that was wrong, without the process IDs in it, so that the same fault has the same text. */
async function lastAlerts(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const alerts = text
    .split('\n')
    .slice(-50)
    .filter((line) => line.includes('[ALERT]'));
  return [...new Set(alerts.map((line) => line.replace(/^\[ALERT\]\s+\(\d+\) : /, '')))].slice(-3).join('; ');
}
