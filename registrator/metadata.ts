import { byteOrder } from '../model/compare.ts';

/** What a container says of its services: the `SERVICE_…` entries of its labels and its environment. */
export interface Metadata {
  /** As it is for one exposed port. Keys are in lower case, without the prefix. */
  readonly ofPort: (port: number) => PortMetadata;
  /** Ports that a key `SERVICE_<port>_NAME` names. */
  readonly namedPorts: readonly number[];
}

export interface PortMetadata {
  /** A value that is not empty; an empty one stands for none. */
  readonly get: (key: string) => string | undefined;
  /** Whether a key of this very port sets it, even to nothing. */
  readonly isOfPort: (key: string) => boolean;
  /** What is said for all ports, and for this one, where they are two: the one that {@link get} answers first. */
  readonly both: (key: string) => readonly string[];
  readonly entries: ReadonlyMap<string, string>;
}

interface Entry {
  readonly key: string;
  readonly port: number | undefined;
  readonly value: string;
}

const PREFIX = 'SERVICE_';

/** Of labels of our own: `toots.name`, `toots.80.check.http`. What else begins so says nothing here. */
const OWN_PREFIX = 'toots.';
const OWN_KEYS = /^(name|id|tags|ignore|network|variant|enable_tag_override|check_[a-z_]+)$/;

/**
 * Reads labels and environment with gliderlabs registrator's precedence, the highest first:
 * label of the port, variable of the port, general label, general variable. The prefix is case-sensitive, the rest is not.
 * Our own labels beat them all, each where the same is said.
 */
export function readMetadata(env: readonly string[], labels: Readonly<Record<string, string>>): Metadata {
  const labelPairs = Object.entries(labels).sort(([a], [b]) => byteOrder(a, b));
  const entries = [...env.flatMap(parseVariable), ...labelPairs].flatMap(([name, value]) => parseEntry(name, value));
  const ours = labelPairs.flatMap(([name, value]) => parseOwnLabel(name, value));
  const all = [...entries, ...ours];
  const ports = all.filter((entry) => entry.key === 'name' && entry.value !== '').flatMap(({ port }) => port ?? []);
  return {
    namedPorts: [...new Set(ports)],
    ofPort: (port) => {
      const of = (said: readonly Entry[], which: number | undefined) => said.filter((entry) => entry.port === which);
      const last = [...of(entries, undefined), ...of(entries, port), ...of(ours, undefined), ...of(ours, port)];
      const winners = new Map(last.map((entry) => [entry.key, entry]));
      const general = new Map(of(all, undefined).map(({ key, value }) => [key, value]));
      const get = (key: string) => winners.get(key)?.value || undefined;
      return {
        get,
        isOfPort: (key) => winners.get(key)?.port !== undefined,
        both: (key) => [...new Set([get(key) ?? '', general.get(key) ?? ''])].filter((value) => value !== ''),
        entries: new Map([...winners].map(([key, { value }]) => [key, value])),
      };
    },
  };
}

/** A variable without `=` says nothing. */
function parseVariable(variable: string): [string, string][] {
  const end = variable.indexOf('=');
  return end < 0 ? [] : [[variable.slice(0, end), variable.slice(end + 1)]];
}

/** `SERVICE_80_NAME` is of port 80, and so of no other however it is written (`080`); `SERVICE_8080` is a general key called `8080`. */
function parseEntry(name: string, value: string): Entry[] {
  if (!name.startsWith(PREFIX)) return [];
  const rest = name.slice(PREFIX.length).toLowerCase();
  const [, port, key] = /^([+-]?\d+)_(.*)$/s.exec(rest) ?? [];
  if (port === undefined || key === undefined) return [{ key: rest, port: undefined, value }];
  return String(Number(port)) === port ? [{ key, port: Number(port), value }] : [];
}

/** Labels of ours part their words with dots, and `toots.ignore=false` ignores nothing. */
function parseOwnLabel(name: string, value: string): Entry[] {
  if (!name.startsWith(OWN_PREFIX)) return [];
  const [, port, rest = ''] = /^(?:(\d+)\.)?(.*)$/s.exec(name.slice(OWN_PREFIX.length).toLowerCase()) ?? [];
  const key = rest.replace(/[.-]/g, '_');
  if (!OWN_KEYS.test(key)) return [];
  const isOff = key === 'ignore' && /^(false|no|off|0)$/i.test(value);
  return [{ key, port: port === undefined ? undefined : Number(port), value: isOff ? '' : value }];
}
