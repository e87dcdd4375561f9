import { sleep } from './sleep.ts';

/** Wakes somebody up later, once. */
export interface Alarm {
  /** The earliest time that was asked for counts; later ones are forgotten with it. */
  readonly in: (ms: number, why: string) => void;
  readonly off: () => void;
}

export function createAlarm(wake: (why: string) => void): Alarm {
  let set: { readonly at: number; readonly off: AbortController } | undefined;
  const off = () => {
    set?.off.abort();
    set = undefined;
  };
  return {
    in: (ms, why) => {
      const at = performance.now() + ms;
      if (set !== undefined && set.at <= at) return;
      off();
      const mine = { at, off: new AbortController() };
      set = mine;
      void sleep(ms, mine.off.signal).then(() => {
        if (mine.off.signal.aborted) return;
        set = undefined;
        wake(why);
      });
    },
    off,
  };
}
