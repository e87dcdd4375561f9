import type { PathPrefix } from '../../model/path-prefix.ts';

/** A path prefix as the map holds it: with a slash at its end, so that it only matches at the border of a segment. */
export function pathKeys(paths: ReadonlyMap<PathPrefix, string>): ReadonlyMap<string, string> {
  const before = known.get(paths);
  if (before !== undefined) return before;
  const keys = new Map([...paths].map(([prefix, group]) => [`${prefix}/`, group]));
  known.set(paths, keys);
  return keys;
}

/** Most plans have the paths of the plan before them. */
const known = new WeakMap<ReadonlyMap<PathPrefix, string>, ReadonlyMap<string, string>>();
