/** Wakes somebody up later, once. It keeps no program alive. */
export interface Alarm {
  /** The earliest time that was asked for counts; later ones are forgotten with it. */
  readonly in: (ms: number, why: string) => void;
  readonly off: () => void;
}

export function createAlarm(wake: (why: string) => void): Alarm {
  let set: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  const off = () => {
    clearTimeout(set?.timer);
    set = undefined;
  };
  return {
    in: (ms, why) => {
      const at = performance.now() + ms;
      if (set !== undefined && set.at <= at) return;
      off();
      const ring = () => {
        set = undefined;
        wake(why);
      };
      set = { at, timer: setTimeout(ring, ms).unref() };
    },
    off,
  };
}
