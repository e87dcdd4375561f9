import type { VirtualHost } from '../../model/edge.ts';
import { type HostPattern, wildcardSuffix } from '../../model/host-pattern.ts';
import type { PathPrefix } from '../../model/path-prefix.ts';

/** A path prefix as the map holds it: with a slash at its end, so that it only matches at the border of a segment. */
export function pathKeys(paths: ReadonlyMap<PathPrefix, string>): ReadonlyMap<string, string> {
  return keysOf(paths, (prefix) => `${prefix}/`);
}

/** A rule for a host as the map holds it: a wildcard's suffix and path, a host's path after `=`, which is in no host; each with a slash at its end. */
export function vhostKeys(vhosts: ReadonlyMap<VirtualHost, string>): ReadonlyMap<string, string> {
  return keysOf(vhosts, (rule) => `${wildcardSuffix(rule as string as HostPattern) ?? `=${rule}`}/`);
}

function keysOf<Rule>(rules: ReadonlyMap<Rule, string>, keyOf: (rule: Rule) => string): ReadonlyMap<string, string> {
  const before = known.get(rules);
  if (before !== undefined) return before;
  const keys = new Map([...rules].map(([rule, group]) => [keyOf(rule), group]));
  known.set(rules, keys);
  return keys;
}

/** Most plans have the rules of the plan before them. */
const known = new WeakMap<object, ReadonlyMap<string, string>>();
