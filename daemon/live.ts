import { setMaxListeners } from 'node:events';

/** How long the parts of a service may take to end before it ends without them, milliseconds. */
const END_WITHIN_MS = 2_500;

/**
 * Runs a program until it ends or is told to: TERM and INT abort the signal it was given.
 * Answers the exit code: 0 after a signal, whatever the parts did then; what `main` answers otherwise.
 * With `exit`, a program whose parts do not end in time is ended by that; without, it may take as long as it needs.
 * @throws what `main` throws while it was not told to end.
 */
export async function live(main: (signal: AbortSignal) => Promise<number>, exit?: (code: number) => void): Promise<number> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const tell = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) return;
    if (exit !== undefined) setTimeout(exit, END_WITHIN_MS, 0).unref();
    stop.abort(new DOMException(`told to end by ${name}`, 'AbortError'));
  };
  // Not once: execa sends a signal again that nobody listens for any more, while a program of ours runs one of its own.
  for (const name of SIGNALS) process.on(name, tell);
  try {
    const code = await main(stop.signal);
    return stop.signal.aborted ? 0 : code;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    throw error;
  } finally {
    if (!stop.signal.aborted) for (const name of SIGNALS) process.off(name, tell);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
