import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { textOf } from '../../../consul/byte-text.ts';
import { createDoorbell } from '../../../daemon/doorbell.ts';
import type { Query } from '../query.ts';
import { type Feed, type FeedPorts, UNDOUBTED } from './heard.ts';
import { oneEach } from './one-each.ts';

/** How often a file is looked at, milliseconds. Polling sees a file that was replaced, on every file system. */
const FILE_EVERY_MS = 500;

/** Files that templates read. One that is not there is an answer too: undefined. */
export function createFileFeed({ hear }: Pick<FeedPorts, 'hear'>, signal: AbortSignal): Feed {
  const running = oneEach<Query>(async (query, end) => {
    if (query.source.kind !== 'file') return;
    for await (const text of fileTexts(query.source.path, end)) hear(query, text, UNDOUBTED);
  }, signal);
  return { follow: (queries) => running.follow(new Map(queries.map((query) => [query.id, query]))) };
}

/** The file's text now, and again whenever it may have changed; undefined when it cannot be read. */
async function* fileTexts(path: string, signal: AbortSignal): AsyncGenerator<string | undefined, void, void> {
  const bell = createDoorbell();
  watchFile(path, { interval: FILE_EVERY_MS, persistent: false }, bell.ring);
  try {
    while (!signal.aborted) {
      const bytes = await readFile(path).catch(() => undefined);
      yield bytes && textOf(bytes);
      await bell.rung(signal);
    }
  } finally {
    unwatchFile(path, bell.ring);
  }
}
