import { createRenewal, type Renewal } from '../../../consul/blocking-query.ts';

/** Runs something for each key until the key is gone or the signal aborts. */
export function oneEach<Item>(start: (item: Item, signal: AbortSignal, renewal: Renewal) => Promise<void>, signal: AbortSignal) {
  const running = new Map<string, { readonly end: AbortController; readonly renewal: Renewal }>();
  signal.addEventListener('abort', () => {
    for (const { end } of running.values()) end.abort();
  });
  return {
    follow: (wanted: ReadonlyMap<string, Item>): void => {
      for (const [key, { end }] of running) {
        if (wanted.has(key)) continue;
        end.abort();
        running.delete(key);
      }
      for (const [key, item] of wanted) {
        if (running.has(key) || signal.aborted) continue;
        const one = { end: new AbortController(), renewal: createRenewal() };
        running.set(key, one);
        void start(item, one.end.signal, one.renewal);
      }
    },
    /** Has all asked anew that is being held. */
    renew: (): void => {
      for (const { renewal } of running.values()) renewal.renew();
    },
  };
}
