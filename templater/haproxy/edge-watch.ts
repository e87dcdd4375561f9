import { isForEdge } from '../../model/edge-options.ts';

/** What of Consul the edge follows: services with a tag for it, and the keys that override tags. */
export const EDGE_WATCH = {
  isWanted: (_name: string, tags: readonly string[]) => isForEdge(tags),
  keyPrefix: 'haproxy/',
} as const;
