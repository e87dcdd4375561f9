import { concernsEdge } from '../../model/edge-tags.ts';

/** What of Consul the edge follows: services with a tag that speaks of it, and the keys that override tags. */
export const EDGE_WATCH = {
  isWanted: (_name: string, tags: readonly string[]) => concernsEdge(tags),
  keyPrefix: 'haproxy/',
} as const;
