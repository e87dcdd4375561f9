import type { Brand } from './brand.ts';

/** A path that claims itself and all below it: `/p`, without a slash at its end; the empty text is every path. */
export type PathPrefix = Brand<string, 'PathPrefix'>;

export const EVERY_PATH = '' as PathPrefix;

const MOST_LENGTH = 1_024;
const CHARACTERS = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/;

/** The reason why a text is no path (RFC 3986, 3.3), or undefined when it is one. */
export function pathFault(text: string): string | undefined {
  if (!text.startsWith('/')) return 'a path starts with /';
  if (text.length > MOST_LENGTH) return `a path has at most ${MOST_LENGTH} characters, not ${text.length}`;
  if (!CHARACTERS.test(text)) return "a path is made of letters, digits, -._~!$&'()*+,;=:@/ and %XX, and has no query";
  return undefined;
}

/** A path without the slash at its end: `/p/` means `/p`. Slashes are not merged. The path must have no {@link pathFault}. */
export function pathPrefix(path: string): PathPrefix {
  return (path.endsWith('/') ? path.slice(0, -1) : path) as PathPrefix;
}

/** The prefix as its service wrote it. */
export function showPathPrefix(prefix: PathPrefix): string {
  return prefix === '' ? '/' : prefix;
}
