import { type InnerSignal, innerSignal } from '../daemon/inner-signal.ts';
import { watchEachService } from './each-service-watch.ts';
import type { ServiceWatch, ServiceWatchPorts, StartServiceWatch } from './service-watch.ts';
import type { WatchTransport } from './transport.ts';
import { watchByTriggers } from './triggered-service-watch.ts';

/** `each`: one blocking query a service. `triggers`: a few queries common to all, and a request for each service that changed. */
export type WatchWay = 'each' | 'triggers';

/** Requests that are left for what is no service: the list, the keys, the datacenters, and what else the program asks. */
const RESERVED_REQUESTS = 10;

/**
 * Which way fits, from what the agent may hold for us at once. Pure.
 *   services                       | way
 *   -------------------------------|----------
 *   up to capacity − 10            | each
 *   more                           | triggers
 *   between 3/4 of that and that   | as before
 */
export function chooseWay(before: WatchWay | undefined, services: number, capacity: number): WatchWay {
  const most = capacity - RESERVED_REQUESTS;
  if (services > most) return 'triggers';
  return before === 'triggers' && services > most * 0.75 ? 'triggers' : 'each';
}

const START: Record<WatchWay, StartServiceWatch> = { each: watchEachService, triggers: watchByTriggers };

/**
 * Follows services the better way, and changes over when their number crosses what the agent may hold. What was heard before stays with the
 * owner; the new way asks for every service once, so that nothing is missed in between.
 */
export function watchServices(
  ports: ServiceWatchPorts & { readonly transport: WatchTransport },
  signal: AbortSignal,
): ServiceWatch & { readonly way: () => WatchWay | undefined } {
  let running: { readonly way: WatchWay; readonly watch: ServiceWatch; readonly life: InnerSignal } | undefined;

  function changeOver(way: WatchWay): ServiceWatch {
    running?.life.end();
    const life = innerSignal(signal);
    running = { way, life, watch: START[way](ports, life.signal) };
    return running.watch;
  }

  return {
    way: () => running?.way,
    follow: (names, listIndex) => {
      const way = chooseWay(running?.way, names.size, ports.transport.capacity());
      const watch = running?.way === way ? running.watch : changeOver(way);
      watch.follow(names, listIndex);
    },
    renew: (what) => running?.watch.renew(what),
  };
}
