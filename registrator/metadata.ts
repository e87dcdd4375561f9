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
  readonly entries: ReadonlyMap<string, string>;
}

interface Entry {
  readonly key: string;
  readonly port: number | undefined;
  readonly value: string;
}

const PREFIX = 'SERVICE_';

/**
 * Reads labels and environment with gliderlabs registrator's precedence, the highest first:
 * label of the port, variable of the port, general label, general variable. The prefix is case-sensitive, the rest is not.
 */
export function readMetadata(env: readonly string[], labels: Readonly<Record<string, string>>): Metadata {
  const labelPairs = Object.entries(labels).sort(([a], [b]) => byteOrder(a, b));
  const entries = [...env.flatMap(parseVariable), ...labelPairs].flatMap(([name, value]) => parseEntry(name, value));
  const ports = entries.filter((entry) => entry.key === 'name' && entry.value !== '').flatMap(({ port }) => port ?? []);
  return {
    namedPorts: [...new Set(ports)],
    ofPort: (port) => {
      const general = entries.filter((entry) => entry.port === undefined);
      const own = entries.filter((entry) => entry.port === port);
      const values = new Map([...general, ...own].map(({ key, value }) => [key, value]));
      const ownKeys = new Set(own.map(({ key }) => key));
      return { get: (key) => values.get(key) || undefined, isOfPort: (key) => ownKeys.has(key), entries: values };
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
