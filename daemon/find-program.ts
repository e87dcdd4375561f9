import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where system programs are, also when PATH does not say so, as in a plain `su`. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

/** The file of a program, or undefined when this machine has none. */
export function findProgram(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  return [...path.split(':').filter((folder) => folder !== ''), ...SYSTEM_FOLDERS].map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
