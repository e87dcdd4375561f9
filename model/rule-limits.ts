import { EDGE_OPTIONS, tagOf } from './edge-options.ts';
import type { HostPattern } from './host-pattern.ts';
import type { PathPrefix } from './path-prefix.ts';
import { type Problem, shownValue } from './problem.ts';

/**
 * How many hosts and paths one service may claim; a path of a host counts once for each of its hosts. Every edge keeps all of them in memory, and HAProxy
 * goes through a whole map to take one out: some hundred tags could keep it, and every other service's changes, waiting for minutes.
 */
export const MOST_RULES = 10_000;

/** How many TCP ports one service may claim: each is a listener of its own, which every reload opens again. */
export const MOST_PORTS = 1_000;

interface Claiming {
  readonly vhosts: readonly HostPattern[];
  readonly routes: readonly PathPrefix[];
  readonly ports: readonly number[];
}

/** What one service may have of what it claims, the first of each list; what is left out is a problem. Pure. */
export function withinLimits(subject: string, { vhosts, routes, ports }: Claiming): Claiming & { readonly problems: readonly Problem[] } {
  const hostsTaken = vhosts.slice(0, MOST_RULES);
  const routesTaken = routes.slice(0, Math.floor(MOST_RULES / Math.max(1, hostsTaken.length)));
  const rules = `one service has at most ${MOST_RULES} hosts and paths, a path once for each of its hosts`;
  return {
    vhosts: hostsTaken,
    routes: routesTaken,
    ports: ports.slice(0, MOST_PORTS),
    problems: [
      ...beyond(subject, tagOf(EDGE_OPTIONS.vhost), vhosts, hostsTaken.length, rules),
      ...beyond(subject, tagOf(EDGE_OPTIONS.route), routes, routesTaken.length, rules),
      ...beyond(subject, tagOf(EDGE_OPTIONS.tcp), ports, MOST_PORTS, `one service has at most ${MOST_PORTS} TCP ports`),
    ],
  };
}

function beyond(subject: string, option: string, all: readonly (string | number)[], taken: number, rule: string): Problem[] {
  const [first] = all.slice(taken);
  if (first === undefined) return [];
  const reason = `${rule}: of its ${all.length} the first ${taken} are taken, in order; make several services of it`;
  return [{ subject, option, value: shownValue(String(first)), reason }];
}
