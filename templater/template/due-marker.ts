import { access, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OperationError } from '../../daemon/operation-error.ts';

/**
 * A hidden file beside a destination, there as long as its command is due: made before the file is written, taken away when the command
 * has succeeded. So a command that was cut off, with this program or by it, is done again.
 */
export function dueMarker(destination: string): string {
  return join(dirname(destination), `.${basename(destination)}.toots-due`);
}

export async function isDue(destination: string): Promise<boolean> {
  return await access(dueMarker(destination)).then(
    () => true,
    () => false,
  );
}

/** @throws OperationError when the folder cannot be written. */
export async function markDue(destination: string): Promise<void> {
  try {
    await writeFile(dueMarker(destination), '', { mode: 0o600 });
  } catch (cause) {
    throw new OperationError('remember that a command is due', { subject: dueMarker(destination), cause });
  }
}

export async function markDone(destination: string): Promise<void> {
  await rm(dueMarker(destination), { force: true });
}
