import { readSettings } from '../../../daemon/settings.ts';
import { type EdgeGroup, type EdgeInstance, type EdgePlan, type GroupOptions, groupKey, type VirtualHost } from '../../../model/edge.ts';
import { pathPrefix } from '../../../model/path-prefix.ts';
import { weight } from '../../../model/weight.ts';
import { edgeFiles, edgeSettings } from '../../../templater/haproxy/edge-settings.ts';
import { type RunningEdge, runningAsPlanned } from '../../../templater/haproxy/running-edge.ts';
import type { EdgeShape } from '../../../templater/haproxy/shape.ts';

export const FILES = edgeFiles('/run/edge');

export const ENOUGH_FILES = { connections: 30_000, files: 65_536, neededFiles: 65_000 };

/** `a` at 10.0.0.1:8080 with weight 100, but for what is said. */
export function edgeInstance(name: string, given: Partial<EdgeInstance> = {}): EdgeInstance {
  return { name, address: '10.0.0.1', port: 8080, weight: weight(100), maxConnections: 128, variant: '', backup: false, ...given };
}

/** What a group has whose service sets nothing. */
const NO_OPTIONS: GroupOptions = {
  balance: 'roundrobin',
  check: undefined,
  redirect: undefined,
  sticky: undefined,
  stripped: [],
  users: undefined,
  networks: undefined,
};

/** A group without a check, but for what is said. */
export function edgeGroup(service: string, instances: readonly EdgeInstance[] = [], given: Partial<EdgeGroup> = {}): EdgeGroup {
  const mode = given.mode ?? 'http';
  return { key: groupKey(service, mode), service, mode, ...NO_OPTIONS, instances, ...given };
}

export interface PlanParts {
  readonly groups?: readonly EdgeGroup[];
  readonly hosts?: Readonly<Record<string, string>>;
  readonly vhosts?: Readonly<Record<string, string>>;
  readonly paths?: Readonly<Record<string, string>>;
  readonly listeners?: Readonly<Record<number, string>>;
  /** File name to fingerprint. */
  readonly certificates?: Readonly<Record<string, string>>;
}

export function edgePlan({ groups = [], hosts = {}, vhosts = {}, paths = {}, listeners = {}, certificates = {} }: PlanParts): EdgePlan {
  return {
    groups: new Map(groups.map((group) => [group.key, group])),
    hosts: new Map(Object.entries(hosts)),
    vhosts: new Map(Object.entries(vhosts).map(([rule, group]) => [rule as VirtualHost, group])),
    paths: new Map(Object.entries(paths).map(([path, group]) => [pathPrefix(path), group])),
    listeners: new Map(Object.entries(listeners).map(([port, group]) => [Number(port), group])),
    certificates: new Map(Object.entries(certificates).map(([name, sha1]) => [name, { sha1, pem: `pem of ${sha1}` }])),
  };
}

/** The shape of a plan, with names for texts. */
export function shapeOf({ groups, listeners }: EdgePlan): EdgeShape {
  return { base: 'base', listeners, groups: new Map([...groups.keys()].map((key) => [key, `backend ${key}`])) };
}

/** A HAProxy that has just loaded a plan. */
export function runningWith(plan: EdgePlan): RunningEdge {
  return runningAsPlanned({ pid: 1, fingerprint: 'f', limit: ENOUGH_FILES, throttles: [] }, plan, shapeOf(plan));
}

/** An edge in /run/edge that has a domain of its own. */
export const SETTINGS = (() => {
  const parsed = readSettings(
    { name: 'test', usage: '', about: '', options: edgeSettings },
    ['-run-dir', '/run/edge', '-add-domain', '.example.test'],
    {},
  );
  if (parsed.kind !== 'settings') throw new Error(JSON.stringify(parsed));
  return parsed.settings;
})();
