import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { columnsOf, rowsOf } from './columns.ts';
import type { MapName } from './edge-change.ts';
import type { FileLimit } from './file-limit.ts';
import { plainSection } from './plain-section.ts';
import type { RunningEdge, RunningInstance } from './running-edge.ts';
import type { EdgeShape } from './shape.ts';
import { parseThrottles, type Throttle } from './throttle.ts';

/** Which HAProxy answers at the socket, and what it was loaded with. */
export interface LoadedHaproxy {
  /** Process ID of the worker. */
  readonly pid: number;
  readonly fingerprint: string;
  readonly limit: FileLimit;
  readonly throttles: readonly Throttle[];
}

/** All that HAProxy can be told at run time, as it answers. */
export interface Observed {
  readonly loaded: LoadedHaproxy;
  /** {@link RunningEdge.certificates}. */
  readonly certificates: ReadonlyMap<string, string>;
  readonly frontends: string;
  readonly backends: string;
  readonly servers: string;
  readonly maps: Readonly<Record<MapName, string>>;
  /** Undefined when they were not asked for. */
  readonly limits: string | undefined;
}

/** Short for what HAProxy answered, without what counts or is found by checks: while it is the same, nobody told HAProxy anything. Pure. */
export function digestOf({ loaded, certificates, frontends, backends, servers, maps, limits }: Observed): ObservedDigest {
  const state = createHash('sha1').update(JSON.stringify([loaded, ...certificates]));
  for (const table of [
    columnsOf(frontends, ',', FRONTEND_COLUMNS),
    backends,
    columnsOf(servers, ' ', SERVER_COLUMNS),
    ...Object.values(maps),
  ])
    state.update(`${table}\n\n`);
  return {
    state: state.digest('hex'),
    limits:
      limits === undefined
        ? undefined
        : createHash('sha1')
            .update(columnsOf(limits, ',', LIMIT_COLUMNS))
            .digest('hex'),
  };
}

export interface ObservedDigest {
  readonly state: string;
  /** Undefined when limits were not asked for. */
  readonly limits: string | undefined;
}

/** The answer to `show info` (management guide 9.3). Pure. */
export function parseInfo(text: string): LoadedHaproxy {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  const limit = { connections: Number(field('Maxconn')), files: Number(field('Ulimit-n')), neededFiles: Number(field('Maxsock')) };
  return { pid: Number(field('Pid')), fingerprint: field('description'), limit, throttles: parseThrottles(text) };
}

const SERVER_COLUMNS = ['be_name', 'srv_name', 'srv_admin_state', 'srv_uweight', 'srv_addr', 'srv_port'];

/** The answer to `show servers state`, for the groups of a shape. Pure. */
export function parseServers(
  text: string,
  shape: EdgeShape | undefined,
  limits: ReadonlyMap<string, number> = new Map(),
): Map<string, Map<string, RunningInstance>> {
  const all = new Map<string, Map<string, RunningInstance>>([...(shape?.groups.keys() ?? [])].map((key) => [key, new Map()]));
  for (const [group = '', server = '', admin, weight, address, port] of rowsOf(text, ' ', SERVER_COLUMNS)) {
    const moved = movedTo(server, address, port);
    all.get(group)?.set(server, {
      weight: Number(weight),
      maxConnections: limits.get(`${group}/${server}`),
      ready: Number(admin) === 0,
      ...(moved !== undefined && { moved }),
    });
  }
  return all;
}

/** Where a server is that is not where its name says (`instanceName`). */
function movedTo(server: string, address = '', port = ''): string | undefined {
  if (address === '' || port === '') return undefined;
  const endpoint = `${address}:${port}`;
  const named = server.endsWith(BACKUP) ? server.slice(0, -BACKUP.length) : server;
  if (named.endsWith(`_${endpoint}`)) return undefined;
  const own = named.slice(named.lastIndexOf('_') + 1);
  return plainEndpoint(own) === plainEndpoint(endpoint) ? undefined : endpoint;
}

const BACKUP = '_backup';

/** An IPv6 address may be written in several ways. */
function plainEndpoint(endpoint: string): string {
  const end = endpoint.lastIndexOf(':');
  const address = endpoint.slice(0, end);
  return isIPv6(address) ? `${new URL(`http://[${address}]`).hostname}:${endpoint.slice(end + 1)}` : endpoint;
}

/** Names of the groups' backends, of the answer to `show backend`. Pure. */
export function parseBackends(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('toots:'));
}

const FRONTEND_COLUMNS = ['pxname', 'status'];

/** Frontends that do not take connections, of the answer to `show stat`. Pure. */
export function parseClosed(text: string): readonly string[] {
  return rowsOf(text, ',', FRONTEND_COLUMNS).flatMap(([name = '', status = '']) => (/^(?:PAUSED|STOP)$/.test(status) ? [name] : []));
}

/** By backend, the section that it would have if it were nothing but its defaults, of the answer to `show stat`. Pure. */
export function parseBackendSections(text: string): Map<string, string> {
  return new Map(
    rowsOf(text, ',', ['pxname', 'mode', 'algo']).map(([name = '', mode = '', balance = '']) => [name, plainSection(name, mode, balance)]),
  );
}

const LIMIT_COLUMNS = ['pxname', 'svname', 'slim'];

/** The limits of connections by `backend/server`, of the answer to `show stat`. Pure. */
export function parseLimits(text: string): Map<string, number> {
  return new Map(
    rowsOf(text, ',', LIMIT_COLUMNS).flatMap(([group, name, limit]) => (limit ? [[`${group}/${name}`, Number(limit)] as const] : [])),
  );
}

/** The answer to `show map FILE`: an address, a key and a value a line. Pure. */
export function parseMap(text: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [address, key, value] = line.split(' ');
    if (address?.startsWith('0x') && key !== undefined && value !== undefined) entries.set(key, value);
  }
  return entries;
}

/** `group/instance` of those that are down, of the answer to `show servers state`. Pure. */
export function parseDead(text: string): readonly string[] {
  return rowsOf(text, ' ', ['be_name', 'srv_name', 'srv_op_state', 'srv_admin_state']).flatMap(deadName);
}

function deadName([group, name, operational, admin]: readonly (string | undefined)[]): string[] {
  return operational === '0' && admin === '0' ? [`${group}/${name}`] : [];
}
