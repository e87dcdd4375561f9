import { byteOrder } from './compare.ts';
import { type EdgePlan, groupKey, type VirtualHost } from './edge.ts';
import { EDGE_OPTIONS, tagOf } from './edge-options.ts';
import { type PathPrefix, showPathPrefix } from './path-prefix.ts';
import type { Problem } from './problem.ts';

/** One service that wants one thing for itself. */
export interface Claim<Wanted> {
  readonly service: string;
  readonly priority: number;
  readonly wanted: Wanted;
}

/** All that is claimed, by descending priority, then in byte order of the services: of equal claims the first is the owner. */
export interface Claims {
  readonly hosts: Claim<string>[];
  readonly vhosts: Claim<VirtualHost>[];
  readonly paths: Claim<PathPrefix>[];
  readonly ports: Claim<number>[];
}

/** Ports that no listener may have, and why. */
export type RefusedPorts = Pick<ReadonlyMap<number, string>, 'get' | 'has'>;

/** Gives each host, path and port to its one owner, equal on every edge node; every lost claim is a problem that names both. */
export function settleClaims(
  claims: Claims,
  refusedPorts: RefusedPorts,
): { rules: Omit<EdgePlan, 'groups' | 'certificates'>; problems: readonly Problem[] } {
  const lost: Lost[] = [];
  const hosts = owners(claims.hosts, 'host', String, lost);
  const vhosts = owners(claims.vhosts, tagOf(EDGE_OPTIONS.vhost), String, lost);
  const paths = owners(claims.paths, tagOf(EDGE_OPTIONS.route), showPathPrefix, lost);
  const ports = owners(
    claims.ports.filter(({ wanted }) => !refusedPorts.has(wanted)),
    tagOf(EDGE_OPTIONS.tcp),
    String,
    lost,
  );
  const refused = claims.ports.flatMap(({ service, wanted }) => refusedPort(service, wanted, refusedPorts.get(wanted)));
  return {
    rules: { hosts: keyed(hosts, 'http'), vhosts: keyed(vhosts, 'http'), paths: keyed(paths, 'http'), listeners: keyed(ports, 'tcp') },
    problems: [...lostClaims(lost), ...refused],
  };
}

interface Lost {
  readonly service: string;
  readonly owner: string;
  /** Whether the owner has it for its priority, or for its name. */
  readonly by: 'priority' | 'name';
  readonly option: string;
  readonly shown: string;
}

function owners<Wanted>(
  claims: readonly Claim<Wanted>[],
  option: string,
  show: (wanted: Wanted) => string,
  lost: Lost[],
): Map<Wanted, string> {
  const byClaim = new Map<Wanted, Claim<Wanted>>();
  for (const claim of claims) {
    const { service, priority, wanted } = claim;
    const owner = byClaim.get(wanted);
    if (owner === undefined) byClaim.set(wanted, claim);
    else if (owner.service !== service)
      lost.push({ service, owner: owner.service, by: owner.priority > priority ? 'priority' : 'name', option, shown: show(wanted) });
  }
  return new Map([...byClaim].map(([wanted, { service }]) => [wanted, service]));
}

function keyed<Wanted>(byClaim: ReadonlyMap<Wanted, string>, mode: 'http' | 'tcp'): Map<Wanted, string> {
  return new Map([...byClaim].map(([wanted, service]) => [wanted, groupKey(service, mode)]));
}

/** One problem for all that a service lost of one kind to one owner. */
function lostClaims(lost: readonly Lost[]): Problem[] {
  const byPair = new Map<string, Lost & { all: string[] }>();
  for (const one of lost) {
    const pair = JSON.stringify([one.service, one.owner, one.option]);
    const group = byPair.get(pair) ?? { ...one, all: [] };
    group.all.push(one.shown);
    byPair.set(pair, group);
  }
  return [...byPair.values()].map(({ service, owner, by, option, all }) => ({
    subject: service,
    option,
    value: all.sort(byteOrder).join(', '),
    reason: `${owner} claims the same and ${by === 'priority' ? `has the higher ${tagOf(EDGE_OPTIONS.priority)}` : 'comes first in byte order'}, so it gets all requests; change one of the two`,
    related: [owner],
  }));
}

function refusedPort(service: string, port: number, reason: string | undefined): Problem[] {
  return reason === undefined ? [] : [{ subject: service, option: tagOf(EDGE_OPTIONS.tcp), value: String(port), reason }];
}
