import { type EdgeGroup, groupKey } from './edge.ts';
import { planInstances, type Resolved, type ServiceKeys } from './edge-instances.ts';
import { isHostName } from './host-name.ts';
import type { Instance } from './instance.ts';
import { type Problem, shownValue } from './problem.ts';
import { isServedAtEdge, readRules, type ServiceRules } from './service-rules.ts';

/** All that one service's part of the edge depends on. */
export interface ServiceInputs {
  readonly service: string;
  readonly instances: readonly Instance[];
  readonly keys: ServiceKeys;
  readonly resolved: Resolved;
  /** The rules that it had when all its options last parsed. */
  readonly lastGood: ServiceRules | undefined;
}

/** What a service wants for itself alone. */
export type ClaimingRules = Pick<ServiceRules, 'http' | 'vhosts' | 'routes' | 'ports' | 'priority'> & { readonly service: string };

export interface PlannedService {
  /** Absent when the edge does not serve it. */
  readonly claims?: ClaimingRules;
  /** The rules to fall back on at the next value that does not parse. */
  readonly lastGood?: ServiceRules;
  readonly groups: readonly EdgeGroup[];
  readonly problems: readonly Problem[];
  readonly hostNames: readonly string[];
}

/** What one service asks of the edge, before others' claims are looked at. */
export function planService({ service, instances, keys, resolved, lastGood }: ServiceInputs): PlannedService {
  const said = readRules(service, instances, keys.auth);
  const rules = said.good ? said.rules : (lastGood ?? said.rules);
  if (!isServedAtEdge(rules)) return { groups: [], problems: said.problems, hostNames: [] };
  if (!isHostName(service)) return { groups: [], problems: [...said.problems, nameProblem(service)], hostNames: [] };
  const planned = planInstances(instances, keys, resolved);
  const keep = said.good ? said.rules : lastGood;
  return {
    claims: { service, http: rules.http, vhosts: rules.vhosts, routes: rules.routes, ports: rules.ports, priority: rules.priority },
    ...(keep !== undefined && { lastGood: keep }),
    groups: groupsOf(service, rules, planned.instances),
    problems: [...said.problems, ...planned.problems],
    hostNames: planned.hostNames,
  };
}

function groupsOf(
  service: string,
  { http, vhosts: _, routes: __, ports, priority: ___, ...options }: ServiceRules,
  instances: EdgeGroup['instances'],
): EdgeGroup[] {
  const modes = [...(http ? (['http'] as const) : []), ...(ports.length > 0 ? (['tcp'] as const) : [])];
  return modes.map((mode) => ({ key: groupKey(service, mode), service, mode, ...options, instances }));
}

function nameProblem(service: string): Problem {
  const name = shownValue(service);
  return {
    subject: name,
    option: 'name',
    value: name,
    reason: 'a service at the edge has a name of letters, digits, - and _, in parts joined by dots; rename it',
  };
}
