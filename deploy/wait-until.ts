import { performance } from 'node:perf_hooks';
import { OperationError } from '../daemon/operation-error.ts';
import { sleep } from '../daemon/sleep.ts';
import { shownDuration } from './progress.ts';

export interface Waiting {
  /** What is waited for, after `wait for`. */
  readonly what: string;
  readonly withinMs: number;
  readonly everyMs: number;
  /** What to do when it does not come. */
  readonly hint: string;
}

/**
 * Waits until it holds; what it throws counts as not yet.
 * @throws OperationError with the last thing it threw, and the hint, when the time is over; whatever `signal` was aborted with.
 */
export async function waitUntil(
  holds: () => Promise<boolean>,
  { what, withinMs, everyMs, hint }: Waiting,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    let why: unknown = 'no answer';
    try {
      if (await holds()) return;
    } catch (error) {
      why = error;
    }
    signal.throwIfAborted();
    if (performance.now() > end) {
      const said = why instanceof Error ? why.message : String(why);
      throw new OperationError(`wait for ${what}`, { cause: why, hint: `not there after ${shownDuration(withinMs)} (${said}); ${hint}` });
    }
    await sleep(everyMs, signal);
  }
}
