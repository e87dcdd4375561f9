import { createHash } from 'node:crypto';

/**
 * All of a configuration that a running HAProxy cannot be told at run time: everything but instances and map entries.
 * Texts, so that a change of any kind is a difference.
 */
export interface EdgeShape {
  /** Global settings, defaults, the frontends of the edge itself. */
  readonly base: string;
  /** By TCP port, the group that it leads to. */
  readonly listeners: ReadonlyMap<number, string>;
  /** By group key, its section without instances. */
  readonly groups: ReadonlyMap<string, string>;
}

/**
 * A short name for a shape, which HAProxy carries as its `description`: so HAProxy itself says what it was loaded with,
 * whoever loaded it, and whatever happened to us in between.
 */
export function fingerprint({ base, listeners, groups }: EdgeShape): string {
  const hash = createHash('sha256').update(base);
  for (const [port, group] of [...listeners].sort(([a], [b]) => a - b)) hash.update(`\0${port}=${group}`);
  for (const [key, text] of groups) hash.update(`\0${key}\0${text}`);
  return hash.digest('hex').slice(0, 16);
}

/** A shape as a JSON text, and back. */
export function encodeShape({ base, listeners, groups }: EdgeShape): string {
  return JSON.stringify({ base, listeners: [...listeners], groups: [...groups] });
}

/** @throws SyntaxError when the text is none of ours. */
export function decodeShape(text: string): EdgeShape {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('base' in parsed) || !('listeners' in parsed) || !('groups' in parsed))
    throw new SyntaxError('not a shape');
  const { base, listeners, groups } = parsed;
  return {
    base: String(base),
    listeners: new Map(entries(listeners).map(([port, group]) => [Number(port), String(group)])),
    groups: new Map(entries(groups).map(([key, value]) => [String(key), String(value)])),
  };
}

function entries(value: unknown): [unknown, unknown][] {
  if (!Array.isArray(value)) throw new SyntaxError('not a shape');
  return value.map((entry: unknown) => {
    if (!Array.isArray(entry)) throw new SyntaxError('not a shape');
    return [entry[0], entry[1]];
  });
}

/** The lines about HTTPS tell whether it is served, and with the files of which certificates. */
function reasonOfBase(before: string, after: string): string {
  const withoutHttps = (text: string) => text.replace(/^ {4}(?:# \S+\.pem.*|bind \S+ name https .*)\n/gm, '');
  return withoutHttps(before) === withoutHttps(after) ? 'a certificate is new or gone' : 'the settings of the edge changed';
}

/** Why HAProxy has to be reloaded to get from one shape to another; empty when it need not be. A group that is no longer wanted is no reason. */
export function reloadReasons(running: EdgeShape | undefined, wanted: EdgeShape): readonly string[] {
  if (running === undefined) return ['HAProxy was loaded with a configuration that is not known here'];
  const reasons = running.base === wanted.base ? [] : [reasonOfBase(running.base, wanted.base)];
  for (const [key, text] of running.groups === wanted.groups ? [] : wanted.groups) {
    const before = running.groups.get(key);
    if (before === undefined) reasons.push(`${key} is new`);
    else if (before !== text) reasons.push(`the options of ${key} changed`);
  }
  for (const [port, group] of wanted.listeners) {
    const before = running.listeners.get(port);
    if (before === undefined) reasons.push(`TCP port ${port} opens for ${group}`);
    else if (before !== group) reasons.push(`TCP port ${port} goes from ${before} to ${group}`);
  }
  for (const [port, group] of running.listeners) if (!wanted.listeners.has(port)) reasons.push(`TCP port ${port} of ${group} closes`);
  return reasons;
}
