import { cp, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PROJECT_FOLDER, startProgram } from './program.ts';
import { tempDir } from './temp-dir.ts';

/** What a fresh clone does not have. */
const NOT_CLONED = new Set(['node_modules', 'dist', '.toots', '.git', 'coverage']);

/** Copies the project as a fresh clone has it; with `packages`, npm's packages are there already. */
export async function cloneProject({ packages }: { readonly packages: boolean }): Promise<{ readonly path: string } & AsyncDisposable> {
  const folder = await tempDir();
  const path = join(folder.path, 'clone');
  await cp(PROJECT_FOLDER, path, { recursive: true, filter: (source) => !NOT_CLONED.has(basename(source)) });
  if (packages) {
    await symlink(join(PROJECT_FOLDER, 'node_modules'), join(path, 'node_modules'));
    await runIn(path, 'sh', ['-c', 'mkdir .toots && touch .toots/installed']);
  }
  return { path, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

/** Runs a program in a folder until it ends. */
export async function runIn(
  cwd: string,
  file: string,
  args: readonly string[] = [],
): Promise<{ readonly code: number | string; readonly output: string }> {
  await using program = await startProgram(file, args, { cwd });
  const code = await program.ended;
  return { code, output: program.output() };
}
