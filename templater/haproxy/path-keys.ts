import type { PathPrefix } from '../../model/path-prefix.ts';

/** A path prefix as the map holds it: with a slash at its end, so that it only matches at the border of a segment. */
export function pathKeys(paths: ReadonlyMap<PathPrefix, string>): ReadonlyMap<string, string> {
  return new Map([...paths].map(([prefix, group]) => [`${prefix}/`, group]));
}
