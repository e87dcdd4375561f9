/** Work that is done key by key: never twice at once for one key, and always once more after it was asked for. */
export interface KeyedWork<Key> {
  /** Asks for the work of a key. While it is under way, for one more round after it. Ends a wait for a retry. */
  readonly tell: (key: Key) => void;
  /** Keys that are under way, wait their turn or wait for a retry. */
  readonly size: () => number;
  readonly has: (key: Key) => boolean;
}

interface Slot {
  state: 'queued' | 'active' | 'waiting';
  isToldAgain: boolean;
  failures: number;
  timer?: NodeJS.Timeout;
}

/**
 * Runs `work` for each key that is told, at most `width` at once, until the signal aborts. `work` handles its own errors;
 * where it answers `again` it is done once more after `waitMs` of the failures in a row.
 */
export function keyedWork<Key>(
  { width, work, waitMs }: { width: number; work: (key: Key) => Promise<'done' | 'again'>; waitMs: (failures: number) => number },
  signal: AbortSignal,
): KeyedWork<Key> {
  const slots = new Map<Key, Slot>();
  const queue: Key[] = [];
  let active = 0;

  const startNext = (): void => {
    while (active < width && !signal.aborted) {
      const key = queue.shift();
      const slot = key === undefined ? undefined : slots.get(key);
      if (key === undefined || slot === undefined) return;
      active += 1;
      slot.state = 'active';
      slot.isToldAgain = false;
      work(key).then(
        (outcome) => finish(key, slot, outcome),
        (error: unknown) => {
          finish(key, slot, 'again');
          throw error;
        },
      );
    }
  };
  const enqueue = (key: Key, slot: Slot): void => {
    clearTimeout(slot.timer);
    slot.state = 'queued';
    queue.push(key);
  };
  const finish = (key: Key, slot: Slot, outcome: 'done' | 'again'): void => {
    active -= 1;
    slot.failures = outcome === 'again' ? slot.failures + 1 : 0;
    if (slot.isToldAgain) enqueue(key, slot);
    else if (outcome === 'done') slots.delete(key);
    else wait(key, slot);
    startNext();
  };
  const wait = (key: Key, slot: Slot): void => {
    slot.state = 'waiting';
    slot.timer = setTimeout(() => {
      enqueue(key, slot);
      startNext();
    }, waitMs(slot.failures));
  };
  signal.addEventListener('abort', () => {
    for (const { timer } of slots.values()) clearTimeout(timer);
  });

  return {
    size: () => slots.size,
    has: (key) => slots.has(key),
    tell: (key) => {
      const slot = slots.get(key);
      if (slot === undefined) {
        const fresh: Slot = { state: 'queued', isToldAgain: false, failures: 0 };
        slots.set(key, fresh);
        enqueue(key, fresh);
      } else if (slot.state === 'active') {
        slot.isToldAgain = true;
      } else if (slot.state === 'waiting') {
        enqueue(key, slot);
      }
      startNext();
    },
  };
}
