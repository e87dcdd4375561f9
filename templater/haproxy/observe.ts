import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import type { EdgeFiles } from './edge-settings.ts';
import type { FileLimit } from './file-limit.ts';
import { plainSection } from './plain-section.ts';
import type { RunningEdge, RunningInstance } from './running-edge.ts';
import { ask } from './runtime-socket.ts';
import { decodeShape, type EdgeShape } from './shape.ts';
import { parseThrottles, type Throttle } from './throttle.ts';

/** Which HAProxy answers at the socket, and what it was loaded with. */
export interface LoadedHaproxy {
  /** Process ID of the worker. */
  readonly pid: number;
  readonly fingerprint: string;
  readonly limit: FileLimit;
  readonly throttles: readonly Throttle[];
}

/** @throws OperationError when HAProxy does not answer. */
export async function readLoaded({ runtimeSocket }: EdgeFiles, signal: AbortSignal): Promise<LoadedHaproxy> {
  const [info = ''] = await ask(runtimeSocket, [{ text: 'show info' }], signal);
  return parseInfo(info);
}

/**
 * Reads all that HAProxy can be told at run time, and which shape it has. The limits of connections are many more bytes to read,
 * and known to whoever set them: `limits` asks for them.
 * @throws OperationError when HAProxy does not answer.
 */
export async function readRunning(files: EdgeFiles, limits: boolean, signal: AbortSignal): Promise<RunningEdge> {
  const questions = [
    ...['show info', 'show ssl cert', FRONTEND_STATISTICS, 'show backend', 'show servers state'],
    ...[files.hostsMap, files.vhostsMap, files.variantsMap, files.pathsMap].map((file) => `show map ${file}`),
  ];
  if (limits) questions.push(SERVER_STATISTICS);
  const answers = await ask(
    files.runtimeSocket,
    questions.map((text) => ({ text })),
    signal,
  );
  const [info = '', stored = '', frontends = '', backends = '', servers = '', ...rest] = answers;
  const [hosts = '', vhosts = '', variants = '', paths = '', statistics = ''] = rest;
  const { pid, fingerprint, limit, throttles } = parseInfo(info);
  const loaded = await knownShape(files, fingerprint);
  const shape = loaded && (await shapeNow(loaded, parseBackends(backends), files, signal));
  return {
    pid,
    fingerprint,
    limit,
    throttles,
    shape,
    instances: parseServers(servers, shape, parseLimits(statistics)),
    hosts: parseMap(hosts),
    vhosts: parseMap(vhosts),
    variants: parseMap(variants),
    paths: parseMap(paths),
    certificates: await readFingerprints(files, stored, signal),
    closed: parseClosed(frontends),
  };
}

/** The certificates of ours among those that HAProxy has stored, each with its SHA-1 fingerprint. */
async function readFingerprints(files: EdgeFiles, stored: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const prefix = files.certificate('');
  const names = stored.split('\n').flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length).trim()] : []));
  const answers = await ask(
    files.runtimeSocket,
    names.map((name) => ({ text: `show ssl cert ${files.certificate(name)}` })),
    signal,
  );
  return new Map(names.map((name, i) => [name, /^SHA1 FingerPrint: ([0-9A-F]+)$/m.exec(answers[i] ?? '')?.[1] ?? '']));
}

/** What a shape has become at run time: backends were added, from defaults alone, and deleted. */
async function shapeNow(loaded: EdgeShape, names: readonly string[], files: EdgeFiles, signal: AbortSignal): Promise<EdgeShape> {
  const added = names.filter((name) => !loaded.groups.has(name));
  const deleted = names.length < loaded.groups.size + added.length;
  if (added.length === 0 && !deleted) return loaded;
  const [statistics = ''] = added.length === 0 ? [] : await ask(files.runtimeSocket, [{ text: BACKEND_STATISTICS }], signal);
  const sections = parseBackendSections(statistics);
  const kept = [...loaded.groups].filter(([key]) => names.includes(key));
  return { ...loaded, groups: new Map([...kept, ...added.map((name) => [name, sections.get(name) ?? ''] as const)]) };
}

/** The text that HAProxy takes for its server-state file. */
export async function readServersState({ runtimeSocket }: EdgeFiles, signal: AbortSignal): Promise<string> {
  const [text = ''] = await ask(runtimeSocket, [{ text: 'show servers state' }], signal);
  return text;
}

/** `group/instance` of those that HAProxy has found dead, by their checks or by connections that failed. */
export async function readDead({ runtimeSocket }: EdgeFiles, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const [text = ''] = await ask(runtimeSocket, [{ text: 'show servers state' }], signal);
  return new Set(serverFields(text, ['be_name', 'srv_name', 'srv_op_state', 'srv_admin_state']).flatMap(deadName));
}

function deadName([group, name, operational, admin]: readonly string[]): string[] {
  return operational === '0' && admin === '0' ? [`${group}/${name}`] : [];
}

/** The answer to `show info` (management guide 9.3). Pure. */
export function parseInfo(text: string): LoadedHaproxy {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  const limit = { connections: Number(field('Maxconn')), files: Number(field('Ulimit-n')), neededFiles: Number(field('Maxsock')) };
  return { pid: Number(field('Pid')), fingerprint: field('description'), limit, throttles: parseThrottles(text) };
}

/** The answer to `show servers state`, for the groups of a shape. Pure. */
export function parseServers(
  text: string,
  shape: EdgeShape | undefined,
  limits: ReadonlyMap<string, number> = new Map(),
): Map<string, Map<string, RunningInstance>> {
  const all = new Map<string, Map<string, RunningInstance>>([...(shape?.groups.keys() ?? [])].map((key) => [key, new Map()]));
  const wanted = ['be_name', 'srv_name', 'srv_admin_state', 'srv_uweight', 'srv_addr', 'srv_port'];
  for (const [group = '', server = '', admin, weight, address, port] of serverFields(text, wanted)) {
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

/** The wanted fields of each server in an answer to `show servers state`, format 1, found by the names in its header line. */
function serverFields(text: string, wanted: readonly string[]): string[][] {
  const lines = text.split('\n').map((line) => line.trim());
  const names =
    lines
      .find((line) => line.startsWith('# '))
      ?.slice(2)
      .split(' ') ?? [];
  const at = wanted.map((name) => names.indexOf(name));
  return lines
    .map((line) => line.split(' '))
    .filter((fields) => !fields[0]?.startsWith('#') && fields.length >= names.length)
    .map((fields) => at.map((i) => fields[i] ?? ''));
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

/** Frontends alone. */
const FRONTEND_STATISTICS = 'show stat -1 1 -1';

/** Frontends that do not take connections, of the answer to `show stat`. Pure. */
export function parseClosed(text: string): readonly string[] {
  return parseStatistics(text, ['pxname', 'status']).flatMap(([name = '', status = '']) =>
    /^(?:PAUSED|STOP)$/.test(status) ? [name] : [],
  );
}

/** Backends alone. */
const BACKEND_STATISTICS = 'show stat -1 2 -1';

/** By backend, the section that it would have if it were nothing but its defaults, of the answer to `show stat`. Pure. */
export function parseBackendSections(text: string): Map<string, string> {
  return new Map(
    parseStatistics(text, ['pxname', 'mode', 'algo']).map(([name = '', mode = '', balance = '']) => [
      name,
      plainSection(name, mode, balance),
    ]),
  );
}

/** Servers alone, of every proxy. */
const SERVER_STATISTICS = 'show stat -1 4 -1';

/** The limits of connections by `backend/server`, of the answer to `show stat`. Pure. */
function parseLimits(text: string): Map<string, number> {
  return new Map(
    parseStatistics(text, ['pxname', 'svname', 'slim']).flatMap(([group, name, limit]) =>
      limit ? [[`${group}/${name}`, Number(limit)] as const] : [],
    ),
  );
}

/** The wanted fields of each line of an answer to `show stat` (management guide 9.1), found by the names in its header line. */
function parseStatistics(text: string, wanted: readonly string[]): (string | undefined)[][] {
  const [header = '', ...lines] = text.split('\n');
  const names = header.replace(/^# /, '').split(',');
  const at = wanted.map((name) => names.indexOf(name));
  return lines
    .filter((line) => line !== '')
    .map((line) => line.split(','))
    .map((fields) => at.map((i) => fields[i]));
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

async function knownShape(files: EdgeFiles, fingerprint: string): Promise<EdgeShape | undefined> {
  if (!/^[0-9a-f]{16}$/.test(fingerprint)) return undefined;
  try {
    return decodeShape(await readFile(files.shape(fingerprint), 'utf8'));
  } catch {
    return undefined;
  }
}
