import { setMaxListeners } from 'node:events';

/** How long the parts of a program may take to end before it ends without them, milliseconds. */
const END_WITHIN_MS = 4_000;

/**
 * Runs a program until it ends or is told to: TERM and INT abort the signal it was given.
 * Answers the exit code: 0 after a signal, whatever the parts did then; what `main` answers otherwise.
 * @throws what `main` throws while it was not told to end.
 */
export async function live(main: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const told = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () => {
        stop.abort(new DOMException(`told to end by ${name}`, 'AbortError'));
        resolve();
      });
    }
  });
  const tooLong = told.then(
    () =>
      new Promise<number>((resolve) => {
        setTimeout(resolve, END_WITHIN_MS, 0).unref();
      }),
  );
  try {
    const code = await Promise.race([main(stop.signal), tooLong]);
    return stop.signal.aborted ? 0 : code;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    throw error;
  }
}
