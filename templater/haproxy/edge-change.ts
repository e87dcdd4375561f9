import type { EdgeCertificate, EdgeGroup, EdgeInstance, EdgePlan } from '../../model/edge.ts';
import { baseOf, changedKeys } from '../../model/revised-map.ts';
import { pathKeys, vhostKeys } from './path-keys.ts';
import { defaultsOfSection } from './plain-section.ts';
import type { RunningEdge, RunningInstance } from './running-edge.ts';
import { type EdgeShape, reloadReasons } from './shape.ts';
import type { Throttle } from './throttle.ts';
import { groupOfKey, variantKeys } from './variant-keys.ts';

/** One thing that a running HAProxy is told, without a reload. */
export type EdgeAction =
  | { readonly kind: 'add'; readonly group: string; readonly instance: EdgeInstance; readonly checked: boolean }
  /** Servers that were added get their sticky cookies; HAProxy before 3.0 gives them none by itself. */
  | { readonly kind: 'cookies'; readonly group: string }
  /** An empty backend, from a section of defaults. */
  | { readonly kind: 'add-group'; readonly group: string; readonly section: string; readonly defaults: string }
  | { readonly kind: 'drop-group'; readonly group: string }
  /** It gets nothing new, and goes for good when the last of its connections has. */
  | { readonly kind: 'stop'; readonly group: string; readonly name: string }
  | { readonly kind: 'remove'; readonly group: string; readonly name: string }
  | { readonly kind: 'ready'; readonly group: string; readonly name: string }
  | { readonly kind: 'address'; readonly group: string; readonly name: string; readonly address: string; readonly port: number }
  | { readonly kind: 'weight'; readonly group: string; readonly name: string; readonly weight: number }
  | { readonly kind: 'max-connections'; readonly group: string; readonly name: string; readonly maxConnections: number }
  | { readonly kind: 'certificate'; readonly name: string; readonly certificate: EdgeCertificate }
  | { readonly kind: 'open'; readonly frontend: string }
  | { readonly kind: 'unthrottle'; readonly throttle: Throttle }
  | ({ readonly kind: 'map'; readonly map: MapName } & MapChange);

/** Entries that are new, that lead elsewhere now, and that go. */
export interface MapChange {
  readonly add: ReadonlyMap<string, string>;
  readonly set: ReadonlyMap<string, string>;
  readonly drop: readonly string[];
}

export type MapName = 'hosts' | 'vhosts' | 'variants' | 'paths';

/** The cheapest way from what HAProxy is to what it should be. Both lists empty: nothing to do. */
export interface EdgeChange {
  /** In an order in which no request is lost: what is added first, what goes last. */
  readonly actions: readonly EdgeAction[];
  /** Why a reload is needed as well; the actions do what can be done before it. */
  readonly reasons: readonly string[];
}

/**
 * Decides how a running HAProxy becomes what the plan wants.
 *
 *   running            | wanted              | change
 *   -------------------|---------------------|-------------------------------------------
 *                      | web/a               | add; then cookies, where the group is sticky
 *   web/a              |                     | stop, then remove once it has no connections
 *   web/a stopped      | web/a               | ready
 *   web/a weight 100   | web/a weight 50     | weight
 *   web/a, moved       | web/a               | address
 *   a closed frontend  |                     | open
 *   a limit of all     |                     | unthrottle
 *   a certificate      | another in its file | certificate, when its file is loaded
 *   host → web         | host → shop         | map, when the group shop is loaded
 *                      | group, listener, … | reload, with the reason
 *   group              |                     | nothing; it goes with the next reload
 *                      | plain group         | add-group, where HAProxy takes backends
 *   group              |                     | drop-group, where it does, once it is empty
 *   unknown shape      | any                 | reload, and nothing before it
 */
export function changeOfEdge(running: RunningEdge, plan: EdgePlan, shape: EdgeShape, addsBackends: boolean): EdgeChange {
  if (running.shape === undefined) return { actions: [], reasons: reloadReasons(undefined, shape) };
  const added = addsBackends ? groupsToAdd(running.shape, shape) : [];
  const loaded =
    added.length === 0
      ? running.shape.groups
      : new Map([...running.shape.groups, ...added.map(({ group, section }) => [group, section] as const)]);
  const reasons = reloadReasons({ ...running.shape, groups: loaded }, shape);
  const first: EdgeAction[] = [
    ...running.throttles.map((throttle) => ({ kind: 'unthrottle' as const, throttle })),
    ...running.closed.map((frontend) => ({ kind: 'open' as const, frontend })),
    ...added,
  ];
  const last: EdgeAction[] = [];
  const before = first.length + last.length;
  for (const key of groupsToCompare(running.instances, plan.groups))
    changeOfGroup(key, running.instances.get(key) ?? NO_INSTANCES, plan.groups.get(key), first, last);
  if (first.length + last.length === before) settled.set(baseOf(running.instances), { instances: running.instances, groups: plan.groups });
  for (const { group } of added) changeOfGroup(group, NO_INSTANCES, plan.groups.get(group), first, last);
  if (addsBackends) last.push(...groupsToDrop(running, running.shape, plan));
  const isLoaded = (_: string, group: string) => loaded.has(group);
  const usesVariants = (key: string) => loaded.get(groupOfKey(key)) === shape.groups.get(groupOfKey(key));
  const maps = [
    ...changeOfMap('variants', running.variants, variantKeys(plan.groups), usesVariants),
    ...changeOfMap('hosts', running.hosts, plan.hosts, isLoaded),
    ...changeOfMap('vhosts', running.vhosts, vhostKeys(plan.vhosts), isLoaded),
    ...changeOfMap('paths', running.paths, pathKeys(plan.paths), isLoaded),
  ];
  return { actions: [...first, ...changeOfCertificates(running.certificates, plan.certificates), ...maps, ...last], reasons };
}

const NO_INSTANCES: ReadonlyMap<string, RunningInstance> = new Map();

/** By what the instances of a running HAProxy were made of, which of them were last seen to be what which groups want. */
const settled = new WeakMap<
  RunningEdge['instances'],
  { readonly instances: RunningEdge['instances']; readonly groups: EdgePlan['groups'] }
>();

/** Keys of the groups that may differ: those that one side or the other has changed since both were the same. */
function groupsToCompare(instances: RunningEdge['instances'], groups: EdgePlan['groups']): Iterable<string> {
  const before = settled.get(baseOf(instances));
  const told = before && changedKeys(before.instances, instances);
  const wanted = before && changedKeys(before.groups, groups);
  return told === undefined || wanted === undefined ? instances.keys() : new Set([...told, ...wanted].filter((key) => instances.has(key)));
}

function groupsToAdd(running: EdgeShape, wanted: EdgeShape): Extract<EdgeAction, { kind: 'add-group' }>[] {
  if (running.groups === wanted.groups) return [];
  return [...wanted.groups].flatMap(([group, section]) => {
    const defaults = running.groups.has(group) ? undefined : defaultsOfSection(section);
    return defaults === undefined ? [] : [{ kind: 'add-group' as const, group, section, defaults }];
  });
}

/** A group that a listener leads to goes with the listener, which only a reload closes. */
function groupsToDrop({ instances }: RunningEdge, { groups, listeners }: EdgeShape, plan: EdgePlan): EdgeAction[] {
  const led = new Set(listeners.values());
  const isOver = (group: string) => !plan.groups.has(group) && !led.has(group) && (instances.get(group)?.size ?? 0) === 0;
  return [...groups.keys()].filter(isOver).map((group) => ({ kind: 'drop-group', group }));
}

/** Which group the instances of a running one were last seen to equal: while both are the same objects there is nothing to compare. */
const equals = new WeakMap<ReadonlyMap<string, RunningInstance>, EdgeGroup>();

function changeOfGroup(
  group: string,
  running: ReadonlyMap<string, RunningInstance>,
  wanted: EdgeGroup | undefined,
  first: EdgeAction[],
  last: EdgeAction[],
): void {
  if (wanted !== undefined && equals.get(running) === wanted) return;
  const before = first.length + last.length;
  const names = new Set<string>();
  for (const instance of wanted?.instances ?? []) {
    names.add(instance.name);
    const seen = running.get(instance.name);
    if (seen === undefined) first.push({ kind: 'add', group, instance, checked: wanted?.check !== undefined });
    else changeOfInstance(group, seen, instance, first);
  }
  if (wanted?.sticky === 'instance' && wanted.mode === 'http' && first.some((action) => action.kind === 'add' && action.group === group))
    first.push({ kind: 'cookies', group });
  for (const [name, { ready }] of running) {
    if (names.has(name)) continue;
    if (ready) last.push({ kind: 'stop', group, name });
    last.push({ kind: 'remove', group, name });
  }
  if (wanted !== undefined && first.length + last.length === before) equals.set(running, wanted);
}

function changeOfInstance(
  group: string,
  before: RunningInstance,
  { name, address, port, weight, maxConnections }: EdgeInstance,
  first: EdgeAction[],
): void {
  if (before.moved !== undefined) first.push({ kind: 'address', group, name, address, port });
  if (before.weight !== weight) first.push({ kind: 'weight', group, name, weight });
  if (before.maxConnections !== maxConnections) first.push({ kind: 'max-connections', group, name, maxConnections });
  if (!before.ready) first.push({ kind: 'ready', group, name });
}

/** A file that is new comes with the reload. */
function changeOfCertificates(running: ReadonlyMap<string, string>, wanted: EdgePlan['certificates']): EdgeAction[] {
  return [...wanted].flatMap(([name, certificate]) => {
    const loaded = running.get(name);
    return loaded === undefined || loaded === certificate.sha1 ? [] : [{ kind: 'certificate' as const, name, certificate }];
  });
}

/** Entries for a group that is not loaded yet stay as they are until the reload brings it. */
function changeOfMap(
  map: MapName,
  running: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
  canHave: (key: string, value: string) => boolean,
): EdgeAction[] {
  if (running === wanted || sameMaps.get(running) === wanted) return [];
  const [add, set] = [new Map<string, string>(), new Map<string, string>()];
  let isSame = running.size === wanted.size;
  for (const [key, group] of wanted) {
    const before = running.get(key);
    if (before === group) continue;
    isSame = false;
    if (canHave(key, group)) (before === undefined ? add : set).set(key, group);
  }
  const drop = [...running.keys()].filter((key) => !wanted.has(key));
  if (isSame) sameMaps.set(running, wanted);
  return add.size + set.size + drop.length > 0 ? [{ kind: 'map', map, add, set, drop }] : [];
}

/** Maps of a running HAProxy that were seen to have what is wanted. */
const sameMaps = new WeakMap<ReadonlyMap<string, string>, ReadonlyMap<string, string>>();
