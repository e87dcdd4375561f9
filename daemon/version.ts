import { readFileSync } from 'node:fs';

/** The version of Toots: that of its package, found from the sources as from what is built. */
export const VERSION: string = readVersion();

function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string };
      return version;
    } catch {
      // not there: we are one folder deeper
    }
  }
  return 'unknown';
}
