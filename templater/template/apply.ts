import { bytesOf } from '../../consul/byte-text.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { isDue, markDue } from './due-marker.ts';
import type { Environment } from './environment.ts';
import { runCommand } from './run-command.ts';
import type { CommandConfig, TemplateConfig } from './template-config.ts';
import { readDestination, writeCandidate } from './write-file.ts';

/** What came of a text: the file had it already, or it was written; `isActionDue` says whether the action has to be done. */
export interface Applied {
  readonly isWritten: boolean;
  readonly isActionDue: boolean;
}

/**
 * Makes the destination hold the text. Order: candidate beside it, check, a mark that the action is due, the file itself.
 * @throws OperationError when the check refuses it or it cannot be written; then the file is what it was.
 */
export async function applyText(
  config: TemplateConfig,
  text: string,
  { env, isAlone }: { readonly env: Environment; readonly isAlone: boolean },
  signal: AbortSignal,
): Promise<Applied> {
  const hasAction = config.action !== undefined;
  const before = readDestination(config.destination);
  if (before?.equals(bytesOf(text))) return { isWritten: false, isActionDue: hasAction && isDue(config.destination) };
  await using candidate = await writeCandidate(config, text, isAlone);
  if (config.check !== undefined) {
    try {
      await runCommand(withFile(config.check, candidate.path), { ...env, TOOTS_FILE: candidate.path }, signal);
    } catch (cause) {
      if (signal.aborted) throw cause;
      await candidate.reject();
      throw new OperationError('check', {
        subject: config.destination,
        cause,
        hint: `refused, see ${config.destination}.rejected: ${String(cause)}`,
      });
    }
  }
  if (hasAction) markDue(config.destination);
  await candidate.keep();
  return { isWritten: true, isActionDue: hasAction };
}

/** The check's `{file}` or `%s` is the candidate. */
function withFile({ command, ...rest }: CommandConfig, path: string): CommandConfig {
  const fill = (word: string) => word.replaceAll('{file}', path).replaceAll('%s', path);
  return { command: typeof command === 'string' ? fill(command) : command.map(fill), ...rest };
}
