import type { ConsulAddress } from '../../consul/address.ts';
import type { RefusedPorts } from '../../model/claims.ts';
import type { PlannedEdge } from '../../model/plan-edge.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { isInRanges, type PortRange, shownRanges } from './port-ranges.ts';
import { whyNotBindable } from './ports.ts';

/** Knows which TCP ports the edge's listeners may not have. */
export interface ListenPorts {
  /** Ports and why they are refused; the same object until something changed. */
  readonly refused: () => RefusedPorts;
  /** Tries the ports that a plan opens anew, and those that were busy. Answers whether `refused` changed. */
  readonly probe: (planned: PlannedEdge, open: ReadonlyMap<number, string>) => Promise<boolean>;
  /** Whether a refused port may become free. */
  readonly waiting: () => boolean;
}

/**
 * Ports of Consul's agents and of our services. A program that is restarted must find its port free: a listener that took it
 * meanwhile would keep it out, and answer in its place.
 */
const PLATFORM_PORTS: ReadonlyMap<number, string> = new Map([
  ...[8300, 8301, 8302, 8500, 8501, 8502, 8503, 8600].map((port) => [port, 'Consul'] as const),
  [9181, 'the registrator'],
  [9182, 'the templater'],
]);

type Settings = Pick<EdgeSettings, 'bind' | 'httpPort' | 'httpsPort' | 'statsPort' | 'api' | 'tcpPorts'> & {
  readonly consul?: ConsulAddress;
};

/** `open` ports are those that HAProxy listens on already. */
export function createListenPorts({ bind, httpPort, httpsPort, statsPort, api, tcpPorts, consul }: Settings): ListenPorts {
  const reserved = new Map(PLATFORM_PORTS);
  if (consul?.kind === 'tcp') reserved.set(consul.port, 'Consul');
  const own = new Map([
    ...[...reserved].map(([port, whose]) => [port, `this is a port of ${whose}; choose another`] as const),
    ...(
      [
        ['HTTP', httpPort],
        ['HTTPS', httpsPort],
        ['statistics', statsPort],
        ['API', api.port],
      ] as const
    ).map(([what, port]) => [port, `this is the ${what} port of the edge itself; choose another`] as const),
  ]);
  let busy = new Map<number, string>();
  let refused = withoutRanges(own, tcpPorts);
  return {
    refused: () => refused,
    waiting: () => busy.size > 0,
    probe: async ({ plan }, open) => {
      const candidates = [...new Set([...plan.listeners.keys(), ...busy.keys()])].filter((port) => !open.has(port));
      const tried = await Promise.all(candidates.map(async (port) => [port, await whyNotBindable(bind, port)] as const));
      const now = new Map(tried.flatMap(([port, why]) => (why === undefined ? [] : [[port, why] as const])));
      const changed = now.size !== busy.size || [...now].some(([port, why]) => busy.get(port) !== why);
      busy = now;
      if (changed) refused = withoutRanges(new Map([...now, ...own]), tcpPorts);
      return changed;
    },
  };
}

/** Those, and all ports outside of the ranges that services may open. */
function withoutRanges(refused: ReadonlyMap<number, string>, ranges: readonly PortRange[]): RefusedPorts {
  const why = (port: number) =>
    refused.get(port) ??
    (isInRanges(ranges, port) ? undefined : `services may open ${shownRanges(ranges)} on this edge (-tcp-ports); choose one of them`);
  return { get: why, has: (port) => why(port) !== undefined };
}
