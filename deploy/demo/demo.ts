import { OperationError } from '../../daemon/operation-error.ts';
import type { Progress } from '../progress.ts';
import { bringUp, type UpDemo } from './bring-up.ts';
import { claimRunFolder, type DemoState, demoFiles, readDemoState, type StateBook } from './demo-state.ts';
import { removeFiles, takeDown } from './take-down.ts';

/** What to do with a demo that is up; it is taken down when this resolves. */
export type WhenUp = (up: UpDemo, book: StateBook) => Promise<void>;

/**
 * Brings a demo up, has `whenUp` use it, and takes it down again whatever happened.
 * @throws OperationError when one runs already, or a step fails; the logs stay then.
 */
export async function withDemo(runDir: string, progress: Progress, whenUp: WhenUp, signal: AbortSignal): Promise<void> {
  const files = demoFiles(runDir);
  const leftOver = await readDemoState(files);
  const book = await claimRunFolder(files);
  if (book === undefined) {
    const since = (await readDemoState(files))?.since ?? 'just now';
    throw new OperationError('start the demo', {
      subject: runDir,
      hint: `one runs already, since ${since}; toots status shows it, toots down ends it`,
    });
  }
  const cleared = await takeDown(files, leftOver ?? { programs: {} });
  if (cleared.length > 0) progress.note(`an earlier demo had left ${cleared.join(', ')}: gone now`);

  const programs = new AbortController();
  const supervisions: Promise<void>[] = [];
  let failed = true;
  try {
    const up = await bringUp({ files, book, progress, programs: programs.signal, keep: (ends) => supervisions.push(ends) }, signal);
    await whenUp(up, book);
    failed = false;
  } catch (error) {
    if (!signal.aborted) throw error;
    failed = false;
  } finally {
    await progress.step('Taking the demo down', () => end(book.state()), words);
    await removeFiles(runDir, { keepLogs: failed });
  }

  async function end(state: DemoState): Promise<readonly string[]> {
    const ended = await takeDown(files, state, () => programs.abort());
    await Promise.all(supervisions);
    return ended;
  }
}

function words(ended: readonly string[]): string {
  return ended.length === 0 ? 'nothing was left' : ended.join(', ');
}
