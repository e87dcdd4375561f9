/** Remembers that it rang, once however often: for a consumer that wants to know that there is something new, not how much. */
export interface Doorbell {
  readonly ring: () => void;
  /** Resolves when it rang since the last time this resolved, or when the signal aborts. One waits at a time. */
  readonly rung: (signal: AbortSignal) => Promise<void>;
}

export function createDoorbell(): Doorbell {
  let hasRung = false;
  let wake: () => void = () => {};
  return {
    ring: () => {
      hasRung = true;
      wake();
    },
    rung: async (signal) => {
      if (!hasRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener('abort', wake, { once: true });
        });
        signal.removeEventListener('abort', wake);
      }
      hasRung = false;
    },
  };
}
