import type { EdgeGroup, EdgePlan } from '../../model/edge.ts';

/** A generation that the edge was taken back to, until it is released. */
export interface Pin {
  readonly generation: number;
  /** ISO 8601. */
  readonly since: string;
  readonly plan: EdgePlan;
}

/**
 * An earlier plan with the instances that there are now: its hosts, paths, ports and options, and of the instances only those that live, with the
 * weights and limits that they had. An address that is gone may be another's by now, so it gets nothing. What came later is not served. Pure.
 */
export function pinnedPlan(then: EdgePlan, now: EdgePlan): EdgePlan {
  const groups = new Map([...then.groups].map(([key, group]) => [key, withLiving(group, now.groups.get(key)?.instances ?? [])] as const));
  return { ...then, groups, certificates: now.certificates };
}

function withLiving(group: EdgeGroup, living: EdgeGroup['instances']): EdgeGroup {
  const before = known.get(group);
  if (before?.living === living) return before.made;
  const then = new Map(group.instances.map((instance) => [instance.name, instance]));
  const made = { ...group, instances: living.map((instance) => then.get(instance.name) ?? instance) };
  known.set(group, { living, made });
  return made;
}

/** While the instances are the same, so is the group: what is made of it is not made anew each round. */
const known = new WeakMap<EdgeGroup, { readonly living: EdgeGroup['instances']; readonly made: EdgeGroup }>();
