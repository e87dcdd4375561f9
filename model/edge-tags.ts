import { byteOrder } from './compare.ts';
import { EDGE_OPTIONS, type EdgeOption } from './edge-options.ts';
import { withoutHashes } from './edge-user.ts';
import { nearestName } from './nearest-name.ts';

/** What tags say of the edge: whether they speak of it, what they give to an option, and how they are shown. Pure. */

/** Tags that make a service an HTTP service; they have no value. */
export const HTTP_TAGS: readonly string[] = ['haproxy', 'webapp'];

const OPTIONS: readonly EdgeOption<unknown>[] = Object.values(EDGE_OPTIONS);
const CLAIM_TAGS: ReadonlySet<string> = new Set(OPTIONS.flatMap(({ scope, tags }) => (scope === 'claim' ? tags : [])));
const VALUED_TAGS: ReadonlySet<string> = new Set(OPTIONS.flatMap(({ tags }) => tags));
const SECRET_TAGS: ReadonlySet<string> = new Set(OPTIONS.flatMap(({ isSecret, tags }) => (isSecret === true ? tags : [])));
const KNOWN_TAGS: readonly string[] = [...HTTP_TAGS, ...VALUED_TAGS];
/** What people write who mean the edge. */
const MEANT_FOR_EDGE = /^\s*haproxy(?:[\s_=]|$)/i;

/** Whether a service with these tags is one for the edge. */
export function isForEdge(tags: readonly string[]): boolean {
  return tags.some((tag) => HTTP_TAGS.includes(tag) || CLAIM_TAGS.has(tagName(tag)));
}

/** Whether any of the tags speaks of the edge, even if the edge does not know it. */
export function concernsEdge(tags: readonly string[]): boolean {
  return isForEdge(tags) || tags.some((tag) => MEANT_FOR_EDGE.test(tag));
}

/** A tag that is meant for the edge, which does not know it. */
export interface UnknownTag {
  /** Without the value, which may be a secret. */
  readonly name: string;
  readonly nearest: string;
}

/** The tags that are meant for the edge and that it does not know, each name once. */
export function unknownTags(tags: readonly string[]): readonly UnknownTag[] {
  const unknown = tags.filter((tag) => MEANT_FOR_EDGE.test(tag) && !HTTP_TAGS.includes(tag) && !VALUED_TAGS.has(tagName(tag)));
  const names = new Set(
    unknown.map((tag) => /^\s*[\w-]*\s*=?/.exec(tag)?.[0] ?? '').map((name) => (name === 'haproxy=' ? name : name.replace(/=$/, ''))),
  );
  return [...names]
    .sort(byteOrder)
    .map((name) => ({ name: name.slice(0, 64), nearest: nearestName(name.trim().toLowerCase().slice(0, 64), KNOWN_TAGS) }));
}

/** A tag as people may see it. */
export function shownTag(tag: string): string {
  const name = tagName(tag);
  const isUnknown = MEANT_FOR_EDGE.test(tag) && !KNOWN_TAGS.includes(name);
  return SECRET_TAGS.has(name) || isUnknown ? `${/^\s*[\w-]*/.exec(name)?.[0]}=${NOT_SHOWN}` : withoutHashes(tag);
}

/** What stands for the value of a secret. */
export const NOT_SHOWN = '(not shown)';

/** `name` of `name=value`; a tag without `=` is all name. */
function tagName(tag: string): string {
  const end = tag.indexOf('=');
  return end < 0 ? tag : tag.slice(0, end);
}

/** The values that tags give to one spelling of an option, in the tags' order; a tag without `=` gives the empty text. */
export function valuesOfTag(tags: readonly string[], spelling: string): readonly string[] {
  return tags.filter((tag) => tagName(tag) === spelling).map((tag) => tag.slice(spelling.length + 1));
}
