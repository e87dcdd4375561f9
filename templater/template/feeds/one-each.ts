/** Runs something for each key until the key is gone or the signal aborts. */
export function oneEach<Item>(start: (item: Item, signal: AbortSignal) => Promise<void>, signal: AbortSignal) {
  const running = new Map<string, AbortController>();
  signal.addEventListener('abort', () => {
    for (const end of running.values()) end.abort();
  });
  return {
    follow: (wanted: ReadonlyMap<string, Item>): void => {
      for (const [key, end] of running) {
        if (wanted.has(key)) continue;
        end.abort();
        running.delete(key);
      }
      for (const [key, item] of wanted) {
        if (running.has(key) || signal.aborted) continue;
        const end = new AbortController();
        running.set(key, end);
        void start(item, end.signal);
      }
    },
    size: () => running.size,
  };
}
