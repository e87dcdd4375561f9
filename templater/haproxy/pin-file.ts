import { readFile, rm } from 'node:fs/promises';
import * as v from 'valibot';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import type { EdgePlan } from '../../model/edge.ts';
import type { Problem } from '../../model/problem.ts';
import { replaceFile, SECRET_FILE_MODE } from './config-files.ts';
import type { History } from './history.ts';
import type { Pin } from './pinned-plan.ts';
import { type PlanEntries, planOfEntries } from './plan-entries.ts';

/** Remembers over restarts which generation the edge is pinned to; undefined takes the pin away. @throws OperationError when it cannot. */
export async function writePin(
  path: string,
  pin: { readonly generation: number; readonly since: string; readonly entries: PlanEntries } | undefined,
): Promise<void> {
  if (pin === undefined) await rm(path, { force: true });
  else await replaceFile(path, JSON.stringify({ ...pin, entries: [...pin.entries] }), SECRET_FILE_MODE);
}

/** What a start makes of the pin of before. */
export interface PinAtStart {
  readonly pinned: Pin | undefined;
  /** Until the edge is released, or taken back to a generation by hand. */
  readonly problems: readonly Problem[];
}

/**
 * The pin of before; where it cannot be read, the newest generation that is kept in its place: a pinned edge made none but those of its pin, so the edge
 * stays what it was. Without a generation Consul is followed.
 */
export async function pinAtStart(path: string, history: Pick<History, 'list' | 'entries'>, now = new Date()): Promise<PinAtStart> {
  try {
    return { pinned: await readPin(path), problems: [] };
  } catch (error) {
    const pinned = await newestGeneration(history, now).catch(() => undefined);
    const instead =
      pinned === undefined
        ? 'no generation is kept either, so Consul is followed'
        : `the edge stays at generation ${pinned.generation}, the last that it was`;
    const reason = `the generation that the edge was pinned to cannot be read (${error instanceof Error ? error.message : error}); ${instead}: toots release follows Consul, toots rollback N pins to another`;
    return { pinned, problems: [{ subject: 'edge', option: 'pin', value: path, reason }] };
  }
}

async function newestGeneration({ list, entries }: Pick<History, 'list' | 'entries'>, now: Date): Promise<Pin | undefined> {
  const generation = (await list()).at(-1)?.number;
  const kept = generation === undefined ? undefined : await entries(generation);
  if (generation === undefined || kept === undefined) return undefined;
  return { generation, since: now.toISOString(), plan: wholePlan(kept) };
}

const pin = v.object({
  generation: v.pipe(v.number(), v.integer(), v.minValue(1)),
  since: v.string(),
  entries: v.array(v.tuple([v.string(), v.string()])),
});

/** Undefined when there is none. @throws OperationError when there is one that cannot be read: what it stood for must not be given up silently. */
async function readPin(path: string): Promise<Pin | undefined> {
  try {
    const { generation, since, entries } = v.parse(pin, JSON.parse(await readFile(path, 'utf8')));
    return { generation, since, plan: wholePlan(new Map(entries)) };
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined;
    // The text is not told: hashes of passwords may stand in it.
    const isOfSystem = cause instanceof Error && 'syscall' in cause;
    throw new OperationError('read the pinned generation', { subject: path, cause, ...(!isOfSystem && { hint: 'it is not whole' }) });
  }
}

/** @throws SyntaxError when the entries are none of ours, or some are missing. */
function wholePlan(entries: PlanEntries): EdgePlan {
  const plan = planOfEntries(entries);
  const { groups, hosts, vhosts, paths, listeners } = plan;
  const led = [hosts, vhosts, paths, listeners].flatMap((rules) => [...rules.values()]);
  const missing = led.find((key) => !groups.has(key));
  if (missing !== undefined) throw new SyntaxError(`a rule leads to ${missing}, which is not there`);
  for (const [key, group] of groups) if (!Array.isArray(group?.instances)) throw new SyntaxError(`the instances of ${key} are missing`);
  return plan;
}
