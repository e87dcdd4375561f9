import { readFile } from 'node:fs/promises';
import { OperationError } from '../../daemon/operation-error.ts';
import type { Environment } from './environment.ts';
import { runCommand, shownCommand } from './run-command.ts';
import type { ActionConfig } from './template-config.ts';

/** Two actions with one key are the same, and are done once for several templates. */
export function actionKey(action: ActionConfig): string {
  return JSON.stringify(action);
}

export function shownAction(action: ActionConfig): string {
  return action.kind === 'command' ? shownCommand(action.command) : `${action.signal} to the process of ${action.pidFile}`;
}

/** @throws OperationError when it fails. */
export async function runAction(action: ActionConfig, env: Environment, signal: AbortSignal): Promise<void> {
  if (action.kind === 'command') return await runCommand(action, env, signal);
  try {
    const pid = Number((await readFile(action.pidFile, 'utf8')).trim());
    if (!Number.isInteger(pid) || pid < 1) throw new Error('it holds no process id');
    process.kill(pid, action.signal);
  } catch (cause) {
    throw new OperationError(`send ${action.signal}`, { subject: action.pidFile, cause });
  }
}
