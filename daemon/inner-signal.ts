import { setMaxListeners } from 'node:events';

/** A lifetime within another one. To be disposed of: then it ends with neither the outer one nor the time any more. */
export interface InnerSignal extends Disposable {
  readonly signal: AbortSignal;
  /** Aborts it, and lets go of the outer one. */
  readonly end: (reason?: unknown) => void;
}

/**
 * A signal that aborts with the outer one, by `end`, or after so many milliseconds with a TimeoutError. Any number may listen to it.
 * What AbortSignal.any makes is held for as long as the outer signal lives (Node 20), which is for ever.
 */
export function innerSignal(outer: AbortSignal, ms?: number): InnerSignal {
  const inner = new AbortController();
  setMaxListeners(0, inner.signal);
  const abort = () => end(outer.reason);
  const timer = ms === undefined ? undefined : setTimeout(() => end(new DOMException(`not within ${ms} ms`, 'TimeoutError')), ms);
  const letGo = () => {
    clearTimeout(timer);
    outer.removeEventListener('abort', abort);
  };
  function end(reason?: unknown): void {
    letGo();
    inner.abort(reason);
  }
  outer.addEventListener('abort', abort);
  if (outer.aborted) abort();
  return { signal: inner.signal, end, [Symbol.dispose]: letGo };
}
