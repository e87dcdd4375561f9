import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { mapOf } from '../../daemon/fields.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import { identify, isRunning, processIdentity } from '../host/process-identity.ts';

/** What a running demo leaves in its run folder, so that `status`, `down` and a second demo know it. */
const demoState = v.object({
  /** The process that keeps it up. */
  supervisor: processIdentity,
  /** Everything is served. */
  ready: v.boolean(),
  /** ISO 8601. */
  since: v.string(),
  programs: mapOf(processIdentity),
  /** A Docker engine that was started for the demo. */
  engine: v.optional(processIdentity),
  ports: mapOf(v.number()),
});
export type DemoState = v.InferOutput<typeof demoState>;

/** Where a demo keeps everything. */
export function demoFiles(runDir: string) {
  return {
    runDir,
    state: join(runDir, 'demo.json'),
    logs: join(runDir, 'log'),
    consulConfig: join(runDir, 'consul.json'),
    /** The templater's run directory: HAProxy's configuration and sockets. */
    edge: join(runDir, 'edge'),
  } as const;
}
export type DemoFiles = ReturnType<typeof demoFiles>;

/** What is written there; undefined when there is no demo, or the file is none of ours. */
export async function readDemoState({ state }: DemoFiles): Promise<DemoState | undefined> {
  const text = await readFile(state, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return v.parse(demoState, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Whether the process that keeps the demo up is there. */
export function isUp(state: DemoState | undefined): state is DemoState {
  return state !== undefined && isRunning(state.supervisor);
}

export interface StateBook {
  readonly state: () => DemoState;
  /** Writes what changed, at once and whole. */
  readonly change: (changes: Partial<DemoState>) => Promise<void>;
}

/**
 * Takes the run folder for this process; of two at the same moment one gets it.
 * Answers undefined when another demo has it.
 */
export async function claimRunFolder(files: DemoFiles): Promise<StateBook | undefined> {
  await Promise.all([files.logs, files.edge].map((folder) => mkdir(folder, { recursive: true })));
  const self = identify(process.pid);
  if (self === undefined) throw new Error('this process is not in /proc');
  let current: DemoState = { supervisor: self, ready: false, since: new Date().toISOString(), programs: {}, ports: {} };
  const mine = `${files.state}.${randomUUID()}`;
  await writeFile(mine, shown(current));
  if (!(await takePlace(mine, files))) return undefined;
  let written = Promise.resolve();
  const write = async () => {
    await writeFile(mine, shown(current));
    await rename(mine, files.state);
  };
  return {
    state: () => current,
    change: async (changes) => {
      current = { ...current, ...changes };
      written = written.then(write); // one after the other: the last written is the newest
      await written;
    },
  };
}

/** Links `mine` as the state unless a demo that is up has it; the state of one that is gone gives way. */
async function takePlace(mine: string, files: DemoFiles): Promise<boolean> {
  const stale = `${mine}.stale`;
  try {
    if (await isLinked(mine, files.state)) return true;
    if (isUp(await readDemoState(files))) return false;
    await rename(files.state, stale).catch(ignoreAbsence);
    const taken = await readDemoState({ ...files, state: stale });
    if (isUp(taken)) await isLinked(stale, files.state); // somebody was quicker, between our look and our rename: theirs again
    return !isUp(taken) && (await isLinked(mine, files.state));
  } finally {
    await Promise.all([mine, stale].map((path) => rm(path, { force: true })));
  }
}

/** Linking is the one step that only one of several can do. */
async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
}

function ignoreAbsence(error: unknown): void {
  if (!isSystemError(error, 'ENOENT')) throw error;
}

function shown(state: DemoState): string {
  return `${JSON.stringify(state, undefined, 2)}\n`;
}
