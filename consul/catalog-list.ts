import { isRecord, isText } from './json-fields.ts';

/** What `/v1/catalog/services` says: the tags of all instances of a service together, by its name. */
export type ServiceList = ReadonlyMap<string, readonly string[]>;

/** Reads the answer of `/v1/catalog/services`. Pure. @throws TypeError when it is no map of lists. */
export function parseServiceList(json: unknown): ServiceList {
  if (!isRecord(json)) throw new TypeError('the answer is no map of services');
  const list = new Map<string, readonly string[]>();
  for (const name of Object.keys(json)) list.set(name, tagList(name, json[name]));
  return list;
}

/** Reads such answers one after the other: one that says the same as the one before is the same object. The tags come in any order. Pure but for that. */
export function rememberedServiceList(): (json: unknown) => ServiceList {
  let last: ServiceList | undefined;
  return (json) => {
    if (last === undefined || !saysTheSame(json, last)) last = parseServiceList(json);
    return last;
  };
}

function saysTheSame(json: unknown, list: ServiceList): boolean {
  if (!isRecord(json)) return false;
  const names = Object.keys(json);
  return names.length === list.size && names.every((name) => isSameSet(json[name], list.get(name)));
}

function isSameSet(tags: unknown, known: readonly string[] | undefined): boolean {
  if (known === undefined) return false;
  if (tags === null) return known.length === 0;
  return (
    Array.isArray(tags) &&
    tags.length === known.length &&
    tags.every((tag) => known.includes(tag)) &&
    known.every((tag) => tags.includes(tag))
  );
}

function tagList(name: string, tags: unknown): readonly string[] {
  if (tags === null) return [];
  if (!Array.isArray(tags)) throw new TypeError(`the tags of ${name} are no list`);
  return tags.every(isText) ? tags : tags.filter(isText);
}

/**
 * Whether Consul answers a question for a service of this name: it refuses a path with a character that cannot be printed, with 400,
 * and answers one with a `.`, a `..` or an empty part by a redirect to another name.
 */
export function canBeAskedFor(name: string): boolean {
  if (/^[\w-]+$/.test(name)) return true;
  if (/^\/|\/\/|(^|\/)\.\.?(\/|$)/.test(name)) return false;
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(name);
}

/** Reads the answer of `/v1/catalog/datacenters`, sorted. Pure. @throws TypeError when it is no list of names. */
export function parseDatacenters(json: unknown): readonly string[] {
  if (!Array.isArray(json) || !json.every((item) => typeof item === 'string')) throw new TypeError('the answer is no list of datacenters');
  return [...json].sort();
}
