import { watchEachService } from './each-service-watch.ts';
import type { ServiceWatch, ServiceWatchPorts } from './service-watch.ts';

/** Services that changed lately: each has a held query of its own, because what changed once soon changes again. */
export interface LatelyChangedServices {
  readonly has: (name: string) => boolean;
  /** Answers the one that had to go for it, whose changes nobody hears any more. */
  readonly add: (name: string) => string | undefined;
  /** Forgets all others. */
  readonly keepOnly: (names: ReadonlySet<string>) => void;
  readonly renew: ServiceWatch['renew'];
}

/** `most` are held at once; the one that was added first goes first. */
export function createLatelyChangedServices(ports: ServiceWatchPorts, most: number, signal: AbortSignal): LatelyChangedServices {
  const watch = watchEachService(ports, signal);
  let held: readonly string[] = [];

  function hold(names: readonly string[]): void {
    held = names;
    watch.follow(new Set(held), 0);
  }

  return {
    has: (name) => held.includes(name),
    add: (name) => {
      const all = [...held.filter((other) => other !== name), name];
      const [gone] = all.slice(0, -most);
      hold(all.slice(-most));
      return gone;
    },
    keepOnly: (names) => hold(held.filter((name) => names.has(name))),
    renew: watch.renew,
  };
}
