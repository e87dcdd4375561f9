import { innerSignal } from './inner-signal.ts';

/** Runs `work` with a signal that aborts with the outer one, or when the time is over; rejects with the reason then, whatever `work` does. */
export async function withDeadline<Value>(ms: number, signal: AbortSignal, work: (within: AbortSignal) => Promise<Value>): Promise<Value> {
  using within = innerSignal(signal, ms);
  const aborted = new Promise<never>((_, reject) => within.signal.addEventListener('abort', () => reject(within.signal.reason)));
  within.signal.throwIfAborted();
  return await Promise.race([work(within.signal), aborted]);
}
