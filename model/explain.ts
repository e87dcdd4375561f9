import type { Catalog } from './catalog.ts';
import { type EdgeInstance, type EdgePlan, groupKey, virtualHost } from './edge.ts';
import { instanceName, type Resolved } from './edge-instances.ts';
import { concernsEdge, shownTag } from './edge-tags.ts';
import type { HostPattern } from './host-pattern.ts';
import { type Instance, isServed, variantOf } from './instance.ts';
import { type PathPrefix, showPathPrefix } from './path-prefix.ts';
import type { Problem } from './problem.ts';

/** Why a request goes where it goes. */
export interface ExplainedRequest {
  readonly host: string;
  readonly path: string;
  /** The rule that takes it, and what it beats. */
  readonly rule: 'host and path' | 'host' | 'wildcard host' | 'path' | 'landing page' | 'none';
  /** The host, path prefix or both of the rule. */
  readonly claim?: string;
  readonly service?: ExplainedService;
}

/** What the edge makes of a service. */
export interface ExplainedService {
  readonly service: string;
  /** Whether Consul has it at all, as far as it is one for the edge. */
  readonly known: boolean;
  readonly hosts: readonly string[];
  /** Rules for wildcard hosts, and for paths of hosts: `*.example.org`, `app.example.com/api`. */
  readonly vhosts: readonly string[];
  readonly paths: readonly string[];
  readonly ports: readonly number[];
  readonly instances: readonly ExplainedInstance[];
  /** Why some of the instances are served although Consul says otherwise, until when, and how that is ended. */
  readonly held?: string;
  readonly problems: readonly Problem[];
}

export interface ExplainedInstance {
  readonly id: string;
  readonly node: string;
  readonly address: string;
  readonly variant: string;
  readonly served: boolean;
  /** Why it gets no requests; absent when it does. */
  readonly whyNot?: string;
  readonly weight?: number;
  readonly maxConnections?: number;
  readonly backup?: boolean;
  /** Its tags that are the edge's. */
  readonly tags: readonly string[];
}

/** What an explanation is made of: what is served, and what it was made from. */
export interface Explainable {
  readonly catalog: Catalog;
  readonly plan: EdgePlan;
  readonly problems: readonly Problem[];
  /** What the host names of instances resolve to. */
  readonly resolved: Resolved;
  readonly ownNames: readonly string[];
  /** `group/instance` of those that HAProxy has found dead: nobody listens, or their check fails. */
  readonly dead: ReadonlySet<string>;
  /** The generation that the edge is pinned to. */
  readonly pinned: number | undefined;
  readonly holds: readonly { readonly service: string; readonly reason: string; readonly until: string }[];
}

/** Explains a request by the rules' order: exact host with its longest path, wildcard host (longest suffix), longest path, the node's own names, nobody. Pure. */
export function explainRequest(edge: Explainable, hostHeader: string, path: string): ExplainedRequest {
  const host = normalHost(hostHeader);
  const { hosts, vhosts, paths } = edge.plan;
  const taken = (rule: ExplainedRequest['rule'], claim: string, group = '') => ({
    host,
    path,
    rule,
    claim,
    service: explainService(edge, group),
  });
  const ofHost = longestPrefix(prefixesOf(vhosts, host), path);
  if (ofHost !== undefined)
    return taken('host and path', virtualHost(host as HostPattern, ofHost), vhosts.get(virtualHost(host as HostPattern, ofHost)));
  if (hosts.has(host)) return taken('host', host, hosts.get(host));
  for (const wildcard of wildcardsOf(host)) {
    const prefix = longestPrefix(prefixesOf(vhosts, wildcard), path);
    if (prefix !== undefined) return taken('wildcard host', virtualHost(wildcard, prefix), vhosts.get(virtualHost(wildcard, prefix)));
  }
  const prefix = longestPrefix([...paths.keys()], path);
  if (prefix !== undefined) return taken('path', showPathPrefix(prefix), paths.get(prefix));
  return { host, path, rule: edge.ownNames.includes(host) ? 'landing page' : 'none' };
}

/** The patterns that a host is below, the longest first. */
function wildcardsOf(host: string): HostPattern[] {
  const labels = host.split('.');
  return labels.slice(1).map((_, i) => `*.${labels.slice(i + 1).join('.')}` as HostPattern);
}

function prefixesOf(vhosts: EdgePlan['vhosts'], host: string): PathPrefix[] {
  const rules = [...vhosts.keys()].filter((rule) => rule === host || rule.startsWith(`${host}/`));
  return rules.map((rule) => rule.slice(host.length) as PathPrefix);
}

/** As HAProxy compares it: lower case, without port and dots at the end. */
function normalHost(header: string): string {
  return header.toLowerCase().replace(/:\d*$/, '').replace(/\.+$/, '');
}

function longestPrefix(prefixes: readonly PathPrefix[], path: string): PathPrefix | undefined {
  const [withoutQuery = ''] = path.split(/[?#]/);
  const matching = prefixes.filter((prefix) => `${withoutQuery}/`.startsWith(`${prefix}/`));
  return matching.sort((a, b) => b.length - a.length)[0];
}

/** Explains a service: what it owns, and each registered instance. Pure. */
export function explainService(edge: Explainable, service: string): ExplainedService {
  const { catalog, plan, problems, resolved, dead, holds, pinned } = edge;
  const http = groupKey(service, 'http');
  const tcp = groupKey(service, 'tcp');
  const planned = new Map(
    [...(plan.groups.get(http)?.instances ?? []), ...(plan.groups.get(tcp)?.instances ?? [])].map((instance) => [instance.name, instance]),
  );
  const instances = catalog.services.get(service);
  const hold = holds.find((one) => one.service === service);
  return {
    service,
    known: instances !== undefined,
    hosts: keysOf(plan.hosts, http),
    vhosts: keysOf(plan.vhosts, http),
    paths: keysOf(plan.paths, http).map(showPathPrefix),
    ports: keysOf(plan.listeners, tcp),
    instances: (instances ?? []).map((instance) =>
      explainInstance(instance, resolved.get(instance.address) ?? instance.address, planned, {
        isDead: (name) => [http, tcp].some((group) => dead.has(`${group}/${name}`)),
        pinned,
      }),
    ),
    ...(hold !== undefined && { held: `${hold.reason}; until ${hold.until}, or toots release ${service}` }),
    problems: problems.filter(({ subject, related }) => subject === service || related?.includes(service)),
  };
}

function notPlanned(pinned: number | undefined): string {
  if (pinned !== undefined) return `the edge is pinned to generation ${pinned}, which has it not; toots release lets it follow Consul`;
  return 'its address or port cannot be used; see the problems';
}

const DEAD = 'Consul calls it healthy, but this edge cannot connect to it, or its haproxy_httpchk fails';

function explainInstance(
  instance: Instance,
  ip: string,
  planned: ReadonlyMap<string, EdgeInstance>,
  { isDead, pinned }: { readonly isDead: (name: string) => boolean; readonly pinned: number | undefined },
): ExplainedInstance {
  const { id, node, address, port, tags } = instance;
  const names = [false, true].map((backup) => instanceName(id, ip, port, backup));
  const found = isServed(instance) ? names.map((name) => planned.get(name)).find((one) => one !== undefined) : undefined;
  return {
    id,
    node,
    address: `${address.includes(':') ? `[${address}]` : address}:${port}`,
    variant: variantOf(instance),
    served: found !== undefined && !isDead(found.name),
    ...(!isServed(instance) && { whyNot: instance.nodeLost ? 'its node is lost' : `Consul calls it ${instance.health}` }),
    ...(isServed(instance) && found === undefined && { whyNot: notPlanned(pinned) }),
    ...(found !== undefined && isDead(found.name) && { whyNot: DEAD }),
    ...(found !== undefined && { weight: found.weight, maxConnections: found.maxConnections, ...(found.backup && { backup: true }) }),
    tags: tags.filter((tag) => concernsEdge([tag]) || tag.startsWith('weight=')).map(shownTag),
  };
}

function keysOf<Key>(entries: ReadonlyMap<Key, string>, group: string): Key[] {
  return [...entries].filter(([, key]) => key === group).map(([key]) => key);
}
