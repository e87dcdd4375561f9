/**
 * Runs `work` with a signal that aborts with the outer one, or when the time is over; rejects with the reason then, whatever `work` does.
 * Lets go of both afterwards: what AbortSignal.any makes is held for as long as the outer signal lives (Node 20), which is for ever.
 */
export async function withDeadline<Value>(ms: number, signal: AbortSignal, work: (within: AbortSignal) => Promise<Value>): Promise<Value> {
  const within = new AbortController();
  const abort = () => within.abort(signal.reason);
  const timer = setTimeout(() => within.abort(new DOMException(`not within ${ms} ms`, 'TimeoutError')), ms);
  signal.addEventListener('abort', abort);
  try {
    if (signal.aborted) abort();
    const aborted = new Promise<never>((_, reject) => within.signal.addEventListener('abort', () => reject(within.signal.reason)));
    within.signal.throwIfAborted();
    return await Promise.race([work(within.signal), aborted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
