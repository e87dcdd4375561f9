import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Imported, importConfiguration, importedText, mergedImport } from './import-config.ts';

const USAGE =
  'Usage: toots templater import PATH…\nPrints the configuration of consul-template in these files and folders (HCL or JSON) as ours, with a list of what is left to do.\n';

/** `toots templater import PATH…`: prints our configuration for one of consul-template. Answers the exit code. */
export function runImport(args: readonly string[]): number {
  const isAsked = args.some((arg) => /^--?h(elp)?$/.test(arg));
  if (isAsked || args.length === 0 || args.some((arg) => arg.startsWith('-'))) {
    process.stderr.write(USAGE);
    return isAsked ? 0 : 2;
  }
  try {
    process.stdout.write(importedText(importPaths(args)));
    return 0;
  } catch (error) {
    process.stderr.write(`toots templater import: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** Files, and those of folders, as one configuration. @throws Error that names the one that cannot be read. */
export function importPaths(paths: readonly string[]): Imported {
  const files = paths.flatMap(filesOf);
  return mergedImport(files.map((file) => importedFile(file, files.length > 1)));
}

/** The files of a folder in the order of their names, as consul-template reads them. */
function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const files = readdirSync(path)
    .sort()
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile());
  if (files.length === 0) throw new Error(`${path}: there is no file in this folder`);
  return files;
}

/** One of several says in its notes which it is. */
function importedFile(file: string, isNamed: boolean): Imported {
  try {
    const { config, byHand } = importConfiguration(readFileSync(file, 'utf8'));
    return { config, byHand: isNamed ? byHand.map((note) => `${file}: ${note}`) : byHand };
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
