import { readFileSync } from 'node:fs';
import { importConfiguration, importedText } from './import-config.ts';

/** `toots templater import FILE`: prints our configuration for one of consul-template. Answers the exit code. */
export function runImport(args: readonly string[]): number {
  const [path, ...more] = args;
  if (path === undefined || more.length > 0 || path.startsWith('-')) {
    process.stderr.write(
      'Usage: toots templater import FILE\nPrints the configuration of consul-template in FILE (HCL or JSON) as ours, with a list of what is left to do.\n',
    );
    return path === '-help' || path === '--help' || path === '-h' ? 0 : 2;
  }
  try {
    process.stdout.write(importedText(importConfiguration(readFileSync(path, 'utf8'))));
    return 0;
  } catch (error) {
    process.stderr.write(`toots templater import: ${path}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
