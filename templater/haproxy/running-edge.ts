import type { EdgeInstance, EdgePlan } from '../../model/edge.ts';
import type { FileLimit } from './file-limit.ts';
import { pathKeys, vhostKeys } from './path-keys.ts';
import type { EdgeShape } from './shape.ts';
import type { Throttle } from './throttle.ts';
import { variantKeys } from './variant-keys.ts';

/** An instance as HAProxy has it. */
export interface RunningInstance {
  readonly weight: number;
  /** Not told by HAProxy; undefined until we have set it. */
  readonly maxConnections: number | undefined;
  /** Whether it gets new requests as far as an administrator is concerned; false in maintenance and drain. */
  readonly ready: boolean;
  /** The `address:port` that somebody gave it by hand; its name says which it should have. */
  readonly moved?: string;
}

/** What a running HAProxy is. */
export interface RunningEdge {
  /** Process ID of the worker. */
  readonly pid: number;
  /** What it says that it was loaded with; its shape may have become another one since. */
  readonly fingerprint: string;
  readonly limit: FileLimit;
  /** What somebody set by hand that holds back all of it. */
  readonly throttles: readonly Throttle[];
  /** Undefined when it was loaded with a configuration that is not known here. */
  readonly shape: EdgeShape | undefined;
  /** By group key, then by instance name; only groups of the shape. */
  readonly instances: ReadonlyMap<string, ReadonlyMap<string, RunningInstance>>;
  /** Key to group, as the maps hold them. */
  readonly hosts: ReadonlyMap<string, string>;
  /** {@link vhostKeys} to group. */
  readonly vhosts: ReadonlyMap<string, string>;
  /** {@link variantKeys}; empty while no group needs them. */
  readonly variants: ReadonlyMap<string, string>;
  /** Prefix with its slash, to group. */
  readonly paths: ReadonlyMap<string, string>;
  /** SHA-1 fingerprints of the certificates that it serves, by file name. */
  readonly certificates: ReadonlyMap<string, string>;
  /** Names of frontends that somebody paused or shut down. */
  readonly closed: readonly string[];
}

/** An instance as it is once HAProxy was told everything about it. */
export function runningInstance({ weight, maxConnections }: EdgeInstance): RunningInstance {
  return { weight, maxConnections, ready: true };
}

/** What a HAProxy is that has just loaded the files of a plan. */
export function runningAsPlanned(
  { pid, fingerprint, limit, throttles }: Pick<RunningEdge, 'pid' | 'fingerprint' | 'limit' | 'throttles'>,
  { groups, hosts, vhosts, paths, certificates }: EdgePlan,
  shape: EdgeShape,
): RunningEdge {
  const instances = new Map(
    [...groups.values()].map((group) => [
      group.key,
      new Map(group.instances.map((instance) => [instance.name, runningInstance(instance)])),
    ]),
  );
  return {
    pid,
    fingerprint,
    limit,
    throttles,
    shape,
    instances,
    hosts,
    vhosts: vhostKeys(vhosts),
    variants: variantKeys(groups),
    paths: pathKeys(paths),
    certificates: new Map([...certificates].map(([name, { sha1 }]) => [name, sha1])),
    closed: [],
  };
}
