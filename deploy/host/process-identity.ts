import { readdirSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import { sleep } from '../../daemon/sleep.ts';
import { isSystemError } from '../../daemon/system-error.ts';

/** A process that cannot be taken for another one: a number that was given away again started at another time. */
export const processIdentity = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Since the machine's start, in clock ticks: field 22 of /proc/PID/stat. */
  startTicks: v.pipe(v.number(), v.integer()),
});
export type ProcessIdentity = v.InferOutput<typeof processIdentity>;

/** Who has this number now; undefined when nobody does, or only a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProc(pid, 'stat');
  return stat === undefined ? undefined : parseStat(pid, stat);
}

/** The text of /proc/PID/stat. The name in parentheses may hold anything, parentheses and spaces included. Pure. */
export function parseStat(pid: number, stat: string): ProcessIdentity | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], Number(fields[19])];
  if (state === undefined || state === 'Z' || state === 'X' || !Number.isInteger(startTicks)) return undefined;
  return { pid, startTicks };
}

/** Whether it still runs. */
export function isRunning({ pid, startTicks }: ProcessIdentity): boolean {
  return identify(pid)?.startTicks === startTicks;
}

/** The processes whose first word ends with `program` and one of whose further words lies in `folder`. */
export function processesOf(program: string, folder: string): readonly ProcessIdentity[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isCommandOf(readProc(pid, 'cmdline')?.split('\0') ?? [], program, folder))
    .map(identify)
    .filter((found) => found !== undefined);
}

/** Pure. */
export function isCommandOf(words: readonly string[], program: string, folder: string): boolean {
  const [first = '', ...rest] = words;
  return (first === program || first.endsWith(`/${program}`)) && rest.some((word) => word.startsWith(`${folder}/`));
}

/** How often a process that was told to end is looked at, milliseconds. */
const LOOK_EVERY_MS = 20;

/** TERM, then KILL when it still runs after `withinMs`. Someone else who has its number by now is left alone. */
export async function endProcess(identity: ProcessIdentity, withinMs: number): Promise<void> {
  const never = new AbortController().signal;
  for (const [signal, patience] of [
    ['SIGTERM', withinMs],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!isRunning(identity)) return;
    send(identity.pid, signal);
    const end = performance.now() + patience;
    while (isRunning(identity) && performance.now() < end) await sleep(LOOK_EVERY_MS, never);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined; // it has just ended, or is none of ours
  }
}
