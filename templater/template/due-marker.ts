import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OperationError } from '../../daemon/operation-error.ts';

/**
 * A hidden file beside a destination, there as long as its command is due: made before the file is written, taken away when the command
 * has succeeded. So a command that was cut off, with this program or by it, is done again.
 */
export function dueMarker(destination: string): string {
  return join(dirname(destination), `.${basename(destination)}.toots-due`);
}

export function isDue(destination: string): boolean {
  return existsSync(dueMarker(destination));
}

/** @throws OperationError when the folder cannot be written. */
export function markDue(destination: string): void {
  try {
    writeFileSync(dueMarker(destination), '', { mode: 0o600 });
  } catch (cause) {
    throw new OperationError('remember that a command is due', { subject: dueMarker(destination), cause });
  }
}

export function markDone(destination: string): void {
  rmSync(dueMarker(destination), { force: true });
}
