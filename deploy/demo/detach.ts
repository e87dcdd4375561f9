import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationError } from '../../daemon/operation-error.ts';
import { sleep } from '../../daemon/sleep.ts';
import { endProcess, identify, type ProcessIdentity } from '../host/process-identity.ts';
import type { Screen } from '../progress.ts';
import { PROJECT_FOLDER } from '../project.ts';
import { demoFiles, isUp, readDemoState } from './demo-state.ts';

const LOOK_EVERY_MS = 50;
/** How long a demo that is told to end while it starts may take to take itself down, milliseconds. */
const END_WITHIN_MS = 60_000;

/**
 * Starts a supervisor in a session of its own, shows what it says until its demo is up, and leaves it. Answers the exit code.
 * @throws OperationError when a demo runs already.
 */
export async function detachDemo(runDir: string, screen: Screen, signal: AbortSignal): Promise<number> {
  const files = demoFiles(runDir);
  const before = await readDemoState(files);
  if (isUp(before)) {
    throw new OperationError('start the demo', {
      hint: `one runs already, since ${before.since}, in ${runDir}; ./toots.sh status shows it, ./toots.sh down ends it`,
    });
  }
  await mkdir(files.logs, { recursive: true });
  const logFile = join(files.logs, 'demo.log');
  const supervisor = await startSupervisor(runDir, logFile);
  const log = await open(logFile, 'r');
  try {
    for (;;) {
      const state = await readDemoState(files);
      const hasEnded = identify(supervisor.pid)?.startTicks !== supervisor.startTicks;
      screen.write(await unread(log));
      if (hasEnded) return 1;
      if (state?.ready === true && state.supervisor.pid === supervisor.pid) break;
      if (signal.aborted) {
        await endProcess(supervisor, END_WITHIN_MS);
        screen.write(await unread(log));
        return 1;
      }
      await sleep(LOOK_EVERY_MS, signal);
    }
  } finally {
    await log.close();
  }
  screen.write('  It runs in the background; ./toots.sh down ends it.\n\n');
  return 0;
}

async function startSupervisor(runDir: string, logFile: string): Promise<ProcessIdentity> {
  const log = await open(logFile, 'w');
  const words = [join(PROJECT_FOLDER, 'dist/programs/deploy.cjs'), 'demo-supervisor', '--run-dir', runDir];
  const child = spawn(process.execPath, words, { detached: true, stdio: ['ignore', log.fd, log.fd] });
  child.unref();
  await log.close();
  const identity = identify(child.pid ?? 0);
  if (identity === undefined)
    throw new OperationError('start the demo', { subject: process.execPath, hint: 'the supervisor ended at once' });
  return identity;
}

/** What was written since the last time. */
async function unread(log: Awaited<ReturnType<typeof open>>): Promise<string> {
  const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(1 << 16) });
  return buffer.toString('utf8', 0, bytesRead);
}
