import { byteOrder } from '../model/compare.ts';
import type { Instance } from '../model/instance.ts';
import { type HealthEntry, NODE_LOST_CHECK } from './health-entry.ts';

/** What the edge needs of an entry; the rest (check output, weights, node meta) may change without being seen. Pure. */
export function catalogInstance(entry: HealthEntry): Instance {
  const { name, id, node, address, port, tags, meta, status, checks } = entry;
  const nodeLost = checks.some((check) => check.id === NODE_LOST_CHECK && check.status === 'critical');
  return { service: name, id, node, address, port, tags, meta, health: status, nodeLost };
}

/** The order within a service, equal on every edge node: by node, then ID. */
export function byNodeThenId(a: Instance, b: Instance): number {
  return byteOrder(a.node, b.node) || byteOrder(a.id, b.id);
}

/**
 * `after` with all that did not change replaced by the objects of `before`: each equal instance, and the list itself when all are.
 * Both are sorted by node and ID. Pure.
 */
export function keepUnchanged(before: readonly Instance[] | undefined, after: readonly Instance[]): readonly Instance[] {
  if (before === undefined) return after;
  const known = new Map(before.map((instance) => [`${instance.node}\n${instance.id}`, instance]));
  const kept = after.map((instance) => {
    const old = known.get(`${instance.node}\n${instance.id}`);
    return old !== undefined && isSameInstance(old, instance) ? old : instance;
  });
  return kept.length === before.length && kept.every((instance, at) => instance === before[at]) ? before : kept;
}

/** Nothing differs that a consumer can see. */
function isSameInstance(a: Instance, b: Instance): boolean {
  return (
    a.service === b.service &&
    a.id === b.id &&
    a.node === b.node &&
    a.address === b.address &&
    a.port === b.port &&
    a.health === b.health &&
    a.nodeLost === b.nodeLost &&
    a.tags.length === b.tags.length &&
    a.tags.every((tag, at) => tag === b.tags[at]) &&
    isSameMap(a.meta, b.meta)
  );
}

function isSameMap(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}
