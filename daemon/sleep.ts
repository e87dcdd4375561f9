import { setTimeout as wait } from 'node:timers/promises';

/** A timer of Node that is set for longer fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Waits, for any time; ends early, without an error, when the signal aborts. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    for (let left = ms; left > LONGEST_MS; left -= LONGEST_MS) await wait(LONGEST_MS, undefined, { signal });
    await wait(ms > LONGEST_MS ? ms % LONGEST_MS : ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
