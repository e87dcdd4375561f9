import type { Catalog } from './catalog.ts';
import { type EdgeInstance, type EdgePlan, groupKey } from './edge.ts';
import { instanceName, type Resolved } from './edge-instances.ts';
import { HTTP_TAGS } from './edge-options.ts';
import { type Instance, isServed, variantOf } from './instance.ts';
import { type PathPrefix, showPathPrefix } from './path-prefix.ts';
import type { Problem } from './problem.ts';

/** Why a request goes where it goes. */
export interface ExplainedRequest {
  readonly host: string;
  readonly path: string;
  /** The rule that takes it, and what it beats. */
  readonly rule: 'host' | 'path' | 'landing page' | 'none';
  /** The host or path prefix of the rule. */
  readonly claim?: string;
  readonly service?: ExplainedService;
}

/** What the edge makes of a service. */
export interface ExplainedService {
  readonly service: string;
  /** Whether Consul has it at all, as far as it is one for the edge. */
  readonly known: boolean;
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  readonly ports: readonly number[];
  readonly instances: readonly ExplainedInstance[];
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
}

/** Explains a request by the rules' order: exact host, longest path, the node's own names, nobody. Pure. */
export function explainRequest(edge: Explainable, hostHeader: string, path: string): ExplainedRequest {
  const host = normalHost(hostHeader);
  const ofHost = edge.plan.hosts.get(host);
  if (ofHost !== undefined) return { host, path, rule: 'host', claim: host, service: explainService(edge, ofHost) };
  const prefix = longestPrefix(edge.plan.paths, path);
  if (prefix !== undefined)
    return { host, path, rule: 'path', claim: showPathPrefix(prefix), service: explainService(edge, edge.plan.paths.get(prefix) ?? '') };
  return { host, path, rule: edge.ownNames.includes(host) ? 'landing page' : 'none' };
}

/** As HAProxy compares it: lower case, without port and dots at the end. */
export function normalHost(header: string): string {
  return header.toLowerCase().replace(/:\d*$/, '').replace(/\.+$/, '');
}

function longestPrefix(paths: EdgePlan['paths'], path: string): PathPrefix | undefined {
  const [withoutQuery = ''] = path.split(/[?#]/);
  const matching = [...paths.keys()].filter((prefix) => `${withoutQuery}/`.startsWith(`${prefix}/`));
  return matching.sort((a, b) => b.length - a.length)[0];
}

/** Explains a service: what it owns, and each registered instance. Pure. */
export function explainService({ catalog, plan, problems, resolved }: Explainable, service: string): ExplainedService {
  const http = groupKey(service, 'http');
  const tcp = groupKey(service, 'tcp');
  const planned = new Map(
    [...(plan.groups.get(http)?.instances ?? []), ...(plan.groups.get(tcp)?.instances ?? [])].map((instance) => [instance.name, instance]),
  );
  const instances = catalog.services.get(service);
  return {
    service,
    known: instances !== undefined,
    hosts: keysOf(plan.hosts, http),
    paths: keysOf(plan.paths, http).map(showPathPrefix),
    ports: keysOf(plan.listeners, tcp),
    instances: (instances ?? []).map((instance) => explainInstance(instance, resolved.get(instance.address) ?? instance.address, planned)),
    problems: problems.filter(({ subject, related }) => subject === service || related?.includes(service)),
  };
}

function explainInstance(instance: Instance, ip: string, planned: ReadonlyMap<string, EdgeInstance>): ExplainedInstance {
  const { id, node, address, port, tags } = instance;
  const found = isServed(instance) ? planned.get(instanceName(id, ip, port)) : undefined;
  return {
    id,
    node,
    address: `${address.includes(':') ? `[${address}]` : address}:${port}`,
    variant: variantOf(instance),
    served: found !== undefined,
    ...(!isServed(instance) && { whyNot: instance.nodeLost ? 'its node is lost' : `Consul calls it ${instance.health}` }),
    ...(isServed(instance) && found === undefined && { whyNot: 'its address or port cannot be used; see the problems' }),
    ...(found !== undefined && { weight: found.weight, maxConnections: found.maxConnections }),
    tags: tags.filter((tag) => HTTP_TAGS.includes(tag) || /^(haproxy_|weight=)/.test(tag)),
  };
}

function keysOf<Key>(entries: ReadonlyMap<Key, string>, group: string): Key[] {
  return [...entries].filter(([, key]) => key === group).map(([key]) => key);
}
