import type { Instance } from './instance.ts';

/**
 * Everything the edge is made of, as Consul said it at one moment: never a part of it.
 * A service that did not change keeps its list of instances (the same object) from one snapshot to the next.
 */
export interface Catalog {
  /** By name; only services with at least one registered instance. Instances are sorted by node, then ID. */
  readonly services: ReadonlyMap<string, readonly Instance[]>;
  /** All that Consul knows, sorted. */
  readonly datacenters: readonly string[];
  /** The KV entries below `haproxy/`, by full path. */
  readonly keys: ReadonlyMap<string, string>;
}
