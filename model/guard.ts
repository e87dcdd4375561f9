import type { Catalog } from './catalog.ts';
import { byteOrder } from './compare.ts';
import { type Instance, isServed } from './instance.ts';
import { changedKeys, withValues } from './revised-map.ts';

/** What a source says of the catalog, and what speaks against believing it. */
export interface Report {
  readonly catalog: Catalog;
  /** The whole answer is doubtful, and why: its index went back, no server leads, a token saw a part of it, Consul does not even list itself. */
  readonly doubt: string | undefined;
  /** The same of one service's own answer. */
  readonly doubtOf: (service: string) => string | undefined;
  /** The same of the keys. */
  readonly doubtOfKeys: string | undefined;
}

const NO_INSTANCES: readonly Instance[] = [];

/** Instances that Consul no longer tells of, or calls lost, and that are served all the same for a time. */
export interface Hold {
  readonly service: string;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  /** By {@link instanceKey}, as they were when they were believed. */
  readonly instances: ReadonlyMap<string, Instance>;
}

/** Keys that Consul no longer has: weights of an A/B test, and who may use a service. */
export interface HeldKeys extends Pick<Hold, 'reason' | 'since' | 'until'> {
  readonly keys: ReadonlyMap<string, string>;
}

/** What is believed, and what is withheld from Consul's last word. */
export interface Guarded {
  readonly catalog: Catalog;
  readonly holds: ReadonlyMap<string, Hold>;
  readonly heldKeys?: HeldKeys | undefined;
}

/** Nodes have their own IDs. */
function instanceKey({ node, id }: Instance): string {
  return `${node}\0${id}`;
}

/**
 * Believes a report, but for what looks like an outage of the source (design: an outage never takes a route away). Pure.
 *
 *   missing or not served any more                    | then
 *   --------------------------------------------------|---------------------------------------------
 *   deregistered, drained, failed check               | believed
 *   the answer is doubtful                            | held
 *   every service of several that were told, at once  | held
 *   lost with its node, others of the service serve   | believed
 *   lost with its node, the last that served          | held
 *   held, and registered again                        | no longer held; its next absence is believed
 *   held for `holdMs`                                 | believed
 *   a key, from a doubtful answer                     | held alike
 */
export function guard(before: Guarded, report: Report, now: number, holdMs: number): Guarded {
  const doubt = report.doubt ?? massLoss(before, report.catalog);
  const withheld = new Map<string, readonly Instance[]>();
  const holds = new Map<string, Hold>();
  for (const service of toLookAt(before, report.catalog)) {
    const believed = before.catalog.services.get(service) ?? NO_INSTANCES;
    const earlier = before.holds.get(service);
    const told = report.catalog.services.get(service) ?? NO_INSTANCES;
    if (told === believed && earlier === undefined) continue;
    const reason = doubt ?? report.doubtOf(service);
    const held = heldInstances(told, believed, earlier?.instances ?? new Map(), reason);
    if (held.instances.size === 0) continue;
    const since = earlier?.since ?? now;
    if (now >= since + holdMs) continue;
    holds.set(service, { service, reason: earlier?.reason ?? held.reason, since, until: since + holdMs, instances: held.instances });
    withheld.set(service, withHeld(told, held.instances));
  }
  const heldKeys = keysToHold(before, report.catalog.keys, doubt ?? report.doubtOfKeys, now, holdMs);
  const keys = heldKeys === undefined ? report.catalog.keys : new Map([...report.catalog.keys, ...heldKeys.keys]);
  return { catalog: { ...report.catalog, services: withValues(report.catalog.services, withheld), keys }, holds, heldKeys };
}

/** What may differ from what is believed. What is held is believed too, so no name is missing here. */
function toLookAt({ catalog, holds }: Guarded, told: Catalog): Iterable<string> {
  return (holds.size === 0 ? changedKeys(catalog.services, told.services) : undefined) ?? catalog.services.keys();
}

/** A key that is missing from a doubtful answer stays, until it is set again or for `holdMs`: without it a service may be open to everybody. */
function keysToHold(
  { catalog: { keys: believed }, heldKeys: earlier }: Guarded,
  told: Catalog['keys'],
  doubt: string | undefined,
  now: number,
  holdMs: number,
): HeldKeys | undefined {
  if (earlier === undefined && (doubt === undefined || told === believed)) return undefined;
  const missing = [...(doubt === undefined ? (earlier?.keys ?? []) : believed)].filter(([path]) => !told.has(path));
  const since = earlier?.since ?? now;
  if (missing.length === 0 || now >= since + holdMs) return undefined;
  return { reason: earlier?.reason ?? doubt ?? '', since, until: since + holdMs, keys: new Map(missing) };
}

/** What is held altogether had gone before. */
function massLoss({ catalog, holds }: Guarded, after: Catalog): string | undefined {
  if (after.services.size > 0) return undefined;
  const told = [...catalog.services].filter(([service, instances]) => (holds.get(service)?.instances.size ?? 0) < instances.length).length;
  return told > 1 ? `all ${told} services are gone at once` : undefined;
}

function heldInstances(
  told: readonly Instance[],
  believed: readonly Instance[],
  earlier: ReadonlyMap<string, Instance>,
  doubt: string | undefined,
): { instances: ReadonlyMap<string, Instance>; reason: string } {
  const byKey = new Map(told.map((instance) => [instanceKey(instance), instance]));
  const isLost = (key: string) => byKey.get(key)?.nodeLost === true;
  const held = new Map([...earlier].filter(([key]) => !byKey.has(key) || isLost(key)));
  if (doubt !== undefined)
    for (const instance of believed) if (!byKey.has(instanceKey(instance))) held.set(instanceKey(instance), instance);
  const lost = told.some(isServed) ? [] : believed.filter((instance) => isServed(instance) && isLost(instanceKey(instance)));
  for (const instance of lost) held.set(instanceKey(instance), instance);
  if (told.some(isServed)) for (const key of held.keys()) if (isLost(key)) held.delete(key);
  return { instances: held, reason: doubt ?? 'the node of its last instances is lost' };
}

function withHeld(told: readonly Instance[], held: ReadonlyMap<string, Instance>): readonly Instance[] {
  const rest = told.filter((instance) => !held.has(instanceKey(instance)));
  return [...rest, ...held.values()].sort((a, b) => byteOrder(a.node, b.node) || byteOrder(a.id, b.id));
}
