import type { Catalog } from './catalog.ts';
import { type Claims, type RefusedPorts, settleClaims } from './claims.ts';
import { byteOrder } from './compare.ts';
import { type EdgeGroup, type EdgePlan, virtualHost } from './edge.ts';
import type { Resolved, ServiceKeys } from './edge-instances.ts';
import { hostsOfService } from './host-name.ts';
import { type HostPattern, wildcardSuffix } from './host-pattern.ts';
import type { Instance } from './instance.ts';
import { EVERY_PATH, type PathPrefix } from './path-prefix.ts';
import { type ClaimingRules, type PlannedService, planService, type ServiceInputs } from './plan-service.ts';
import { type Problem, problemKey } from './problem.ts';
import { changedKeys, withValues } from './revised-map.ts';
import type { ServiceRules } from './service-rules.ts';

/** What the edge is told besides the catalog. */
export interface EdgePolicy {
  readonly domain: string;
  /** Without a leading dot. */
  readonly addedDomains: readonly string[];
  /** The edge's own, those that services may not open here, and those that cannot be bound. */
  readonly refusedPorts: RefusedPorts;
  readonly resolved: Resolved;
  /** What HTTPS is served with. */
  readonly certificates?: EdgePlan['certificates'];
}

/** By service, the rules that it had when all its options last parsed; forgotten with its last instance. */
export type LastGood = ReadonlyMap<string, ServiceRules>;

export interface PlannedEdge {
  readonly plan: EdgePlan;
  readonly problems: readonly Problem[];
  readonly lastGood: LastGood;
  /** Host names that instances have for an address; the policy's `resolved` should know them. */
  readonly hostNames: readonly string[];
}

/** Catalog, policy and last good rules to the plan of the whole edge. A service that did not change keeps its groups (the same objects). */
export type Planner = (catalog: Catalog, policy: EdgePolicy, lastGood: LastGood) => PlannedEdge;

const NO_CERTIFICATES: EdgePlan['certificates'] = new Map();

/** Makes a planner, which is pure: it only remembers what it made of inputs that are the same objects as before. */
export function createPlanner(): Planner {
  const planned = rememberedByInstances(planService);
  const settled = rememberedBySame(settleRules);
  const sorted = rememberedOrder();
  let last: Remembered | undefined;

  function inputsOf(service: string, { services, keys }: Catalog, { resolved }: EdgePolicy, lastGood: LastGood): ServiceInputs {
    const ofKeys = keysByService(keys).get(service) ?? NO_KEYS;
    return { service, instances: services.get(service) ?? [], keys: ofKeys, resolved, lastGood: lastGood.get(service) };
  }

  /** The last plan with the groups of services that changed; undefined where more than the groups' instances and options may have. */
  function revised({ parts, ...before }: Remembered, catalog: Catalog, policy: EdgePolicy, lastGood: LastGood): PlannedEdge | undefined {
    const changed = isSameBesides(before, catalog, policy, lastGood) ? changedKeys(before.catalog.services, catalog.services) : undefined;
    if (changed === undefined) return undefined;
    const now = new Map(changed.map((service) => [service, planned(inputsOf(service, catalog, policy, lastGood))] as const));
    for (const [service, part] of now) if (!isSamePart(parts.get(service), part)) return undefined;
    for (const [service, part] of now) parts.set(service, part);
    const { plan, ...rest } = before.result;
    const groups = new Map([...now.values()].flatMap((part) => part.groups.map((group) => [group.key, group] as const)));
    const good = new Map([...now].flatMap(([service, part]) => (part.lastGood === undefined ? [] : [[service, part.lastGood] as const])));
    return {
      ...rest,
      plan: { ...plan, groups: withValues(plan.groups, groups), certificates: policy.certificates ?? NO_CERTIFICATES },
      lastGood: withValues(lastGood, good),
    };
  }

  function whole(parts: ReadonlyMap<string, PlannedService>, { datacenters }: Catalog, policy: EdgePolicy): PlannedEdge {
    const good = new Map<string, ServiceRules>();
    const groups = new Map<string, EdgeGroup>();
    const problems: Problem[] = [];
    const hostNames = new Set<string>();
    const rules: ClaimingRules[] = [];
    for (const [service, part] of parts) {
      for (const group of part.groups) groups.set(group.key, group);
      if (part.lastGood !== undefined) good.set(service, part.lastGood);
      for (const problem of part.problems) problems.push(problem);
      for (const name of part.hostNames) hostNames.add(name);
      if (part.claims !== undefined) rules.push(part.claims);
    }
    const owned = settled(rules, datacenters, policy);
    return {
      plan: { groups, ...owned.rules, certificates: policy.certificates ?? NO_CERTIFICATES },
      problems: [...problems, ...owned.problems],
      lastGood: good,
      hostNames: [...hostNames],
    };
  }

  return (catalog, policy, lastGood) => {
    const result = last && revised(last, catalog, policy, lastGood);
    if (last !== undefined && result !== undefined) {
      last = { ...last, catalog, policy, result };
      return result;
    }
    const parts = new Map<string, PlannedService>();
    for (const service of sorted(catalog.services)) parts.set(service, planned(inputsOf(service, catalog, policy, lastGood)));
    last = { catalog, policy, parts, result: whole(parts, catalog, policy) };
    return last.result;
  };
}

/** What a plan was made of, service by service, in their order. */
interface Remembered {
  readonly catalog: Catalog;
  readonly policy: EdgePolicy;
  readonly parts: Map<string, PlannedService>;
  readonly result: PlannedEdge;
}

/** Whether all that a plan is made of is the same, but for instances. */
function isSameBesides(before: Omit<Remembered, 'parts'>, catalog: Catalog, policy: EdgePolicy, lastGood: LastGood): boolean {
  return (
    before.result.lastGood === lastGood &&
    before.catalog.keys === catalog.keys &&
    isSameList(before.catalog.datacenters, catalog.datacenters) &&
    before.policy.resolved === policy.resolved &&
    isSameClaimPolicy(before.policy, policy)
  );
}

/** Whether a service's part of the plan is the same, but for what is in its groups, and for its rules to fall back on. */
function isSamePart(before: PlannedService | undefined, now: PlannedService): boolean {
  return (
    before !== undefined &&
    before.claims === now.claims &&
    (before.lastGood === undefined) === (now.lastGood === undefined) &&
    isSameList(before.hostNames, now.hostNames) &&
    before.groups.length === now.groups.length &&
    before.groups.every(({ key }, i) => key === now.groups[i]?.key) &&
    isSameList(before.problems.map(problemKey), now.problems.map(problemKey))
  );
}

const NO_KEYS: ServiceKeys = {};

/** What keys say of services, by service. */
function keysByService(keys: Catalog['keys']): ReadonlyMap<string, ServiceKeys> {
  const before = keysKnown.get(keys);
  if (before !== undefined) return before;
  const services = new Map<string, ServiceKeys>();
  for (const [path, value] of keys) {
    const [, service, option] = /^haproxy\/(.+)\/(maxconn|weights|auth)$/s.exec(path) ?? [];
    if (service !== undefined && option !== undefined) services.set(service, { ...services.get(service), [option]: value });
  }
  keysKnown.set(keys, services);
  return services;
}

/** Most catalogs have the keys of the catalog before them. */
const keysKnown = new WeakMap<Catalog['keys'], ReadonlyMap<string, ServiceKeys>>();

/** Names in byte order; those that come as they came before are not sorted anew. */
function rememberedOrder(): (services: Catalog['services']) => readonly string[] {
  let came: readonly string[] = [];
  let sorted: readonly string[] = [];
  return (services) => {
    const names = [...services.keys()];
    if (!isSameList(names, came)) [came, sorted] = [names, names.toSorted(byteOrder)];
    return sorted;
  };
}

function settleRules(
  all: readonly ClaimingRules[],
  datacenters: readonly string[],
  { domain, addedDomains, refusedPorts }: EdgePolicy,
): ReturnType<typeof settleClaims> {
  const claims: Claims = { hosts: [], vhosts: [], paths: [], ports: [] };
  const byRank = all.toSorted((a, b) => b.priority - a.priority || byteOrder(a.service, b.service));
  for (const { service, priority, http, vhosts, routes, ports } of byRank) {
    const who = { service, priority };
    if (http) for (const wanted of hostsOfService(service, { domain, addedDomains, datacenters })) claims.hosts.push({ ...who, wanted });
    for (const host of vhosts) claimHost(claims, who, host, routes);
    if (vhosts.length === 0) for (const wanted of routes) claims.paths.push({ ...who, wanted });
    for (const wanted of ports) claims.ports.push({ ...who, wanted });
  }
  return settleClaims(claims, refusedPorts);
}

/** The whole host, or its paths where the service has routes. */
function claimHost(
  claims: Claims,
  who: { readonly service: string; readonly priority: number },
  host: HostPattern,
  routes: readonly PathPrefix[],
): void {
  for (const prefix of routes.length > 0 ? routes : [EVERY_PATH]) {
    if (prefix === EVERY_PATH && wildcardSuffix(host) === undefined) claims.hosts.push({ ...who, wanted: host });
    else claims.vhosts.push({ ...who, wanted: virtualHost(host, prefix) });
  }
}

/** Most changes are of instances: while the claims are the same objects, so is who owns what. */
function rememberedBySame(settle: typeof settleRules): typeof settleRules {
  let known: { inputs: Parameters<typeof settleRules>; result: ReturnType<typeof settleRules> } | undefined;
  return (...inputs) => {
    if (known === undefined || !isSameClaiming(known.inputs, inputs)) known = { inputs, result: settle(...inputs) };
    return known.result;
  };
}

function isSameClaiming(
  [a, aDatacenters, aPolicy]: Parameters<typeof settleRules>,
  [b, bDatacenters, bPolicy]: Parameters<typeof settleRules>,
): boolean {
  return isSameClaimPolicy(aPolicy, bPolicy) && isSameList(aDatacenters, bDatacenters) && isSameList(a, b);
}

function isSameClaimPolicy(a: EdgePolicy, b: EdgePolicy): boolean {
  return a.refusedPorts === b.refusedPorts && a.domain === b.domain && a.addedDomains === b.addedDomains;
}

/** Forgets with the list of instances; of one list it remembers the last result. */
function rememberedByInstances(plan: (inputs: ServiceInputs) => PlannedService): (inputs: ServiceInputs) => PlannedService {
  const known = new WeakMap<readonly Instance[], { inputs: ServiceInputs; result: PlannedService }>();
  const claiming = new Map<string, ClaimingRules>();
  return (inputs) => {
    const before = known.get(inputs.instances);
    if (before !== undefined && sameInputs(before.inputs, inputs)) return before.result;
    const result = withSameClaims(plan(inputs), claiming);
    // Fed back its own last good rules, the same list gives the same result.
    known.set(inputs.instances, { inputs: { ...inputs, lastGood: result.lastGood }, result });
    return result;
  };
}

/** Claims that say the same as those before are the same object. */
function withSameClaims(part: PlannedService, claiming: Map<string, ClaimingRules>): PlannedService {
  const { claims } = part;
  if (claims === undefined) return part;
  const before = claiming.get(claims.service);
  const isSame =
    before !== undefined &&
    before.http === claims.http &&
    before.priority === claims.priority &&
    isSameList(before.vhosts, claims.vhosts) &&
    isSameList(before.routes, claims.routes) &&
    isSameList(before.ports, claims.ports);
  if (isSame) return { ...part, claims: before };
  claiming.set(claims.service, claims);
  return part;
}

function isSameList<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function sameInputs(a: ServiceInputs, b: ServiceInputs): boolean {
  return (
    a.service === b.service &&
    a.keys.maxconn === b.keys.maxconn &&
    a.keys.weights === b.keys.weights &&
    a.keys.auth === b.keys.auth &&
    a.resolved === b.resolved &&
    a.lastGood === b.lastGood
  );
}
