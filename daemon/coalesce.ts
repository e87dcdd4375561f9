/** Something that may be told, any number of times, that there is work. */
export interface Trigger<Why> {
  readonly tell: (why: Why) => void;
}

/**
 * Runs rounds one after the other: the first `tell` starts one at once, those that come while it runs are merged into the next.
 * `round` handles its own failures; what it throws ends the loop.
 */
export function coalesce<Why>(
  round: (why: readonly Why[]) => Promise<void>,
): Trigger<Why> & { readonly run: (signal: AbortSignal) => Promise<void> } {
  let waiting: Why[] = [];
  let wake: () => void = () => {};
  return {
    tell: (why) => {
      waiting.push(why);
      wake();
    },
    run: async (signal) => {
      while (!signal.aborted) {
        if (waiting.length === 0) await nextTell(signal, (resolve) => (wake = resolve));
        if (signal.aborted) return;
        const batch = waiting;
        waiting = [];
        await round(batch);
      }
    },
  };
}

function nextTell(signal: AbortSignal, listen: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      signal.removeEventListener('abort', wake);
      resolve();
    };
    listen(wake);
    signal.addEventListener('abort', wake);
  });
}
