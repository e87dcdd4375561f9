import { readFile, rm } from 'node:fs/promises';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import { replaceFile, SECRET_FILE_MODE } from './config-files.ts';
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

/** Undefined when there is none. @throws OperationError when there is one that cannot be read: what it stood for must not be given up silently. */
export async function readPin(path: string): Promise<Pin | undefined> {
  try {
    const { generation, since, entries } = JSON.parse(await readFile(path, 'utf8')) as {
      generation: number;
      since: string;
      entries: [string, string][];
    };
    return { generation, since, plan: planOfEntries(new Map(entries)) };
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined;
    throw new OperationError('read the pinned generation', {
      subject: path,
      cause,
      hint: 'it cannot be read; remove it to follow Consul again',
    });
  }
}
