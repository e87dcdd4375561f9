import { readFile } from 'node:fs/promises';
import type { EdgeFiles } from './edge-settings.ts';
import {
  type LoadedHaproxy,
  type Observed,
  parseBackendSections,
  parseBackends,
  parseClosed,
  parseDead,
  parseInfo,
  parseLimits,
  parseMap,
  parseServers,
} from './haproxy-answers.ts';
import type { RunningEdge } from './running-edge.ts';
import { ask } from './runtime-socket.ts';
import { decodeShape, type EdgeShape } from './shape.ts';

/** Frontends alone. */
const FRONTEND_STATISTICS = 'show stat -1 1 -1';
/** Backends alone. */
const BACKEND_STATISTICS = 'show stat -1 2 -1';
/** Servers alone, of every proxy. */
const SERVER_STATISTICS = 'show stat -1 4 -1';

/** @throws OperationError when HAProxy does not answer. */
export async function readLoaded({ runtimeSocket }: EdgeFiles, signal: AbortSignal): Promise<LoadedHaproxy> {
  const [info = ''] = await ask(runtimeSocket, [{ text: 'show info' }], signal);
  return parseInfo(info);
}

/**
 * Asks for all that HAProxy can be told at run time. The limits of connections are many more bytes to read, and known to whoever set them: `limits` asks
 * for them.
 * @throws OperationError when HAProxy does not answer.
 */
export async function observe(files: EdgeFiles, limits: boolean, signal: AbortSignal): Promise<Observed> {
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
  const [hosts = '', vhosts = '', variants = '', paths = '', statistics] = rest;
  const certificates = await readFingerprints(files, stored, signal);
  return {
    loaded: parseInfo(info),
    certificates,
    frontends,
    backends,
    servers,
    maps: { hosts, vhosts, variants, paths },
    limits: statistics,
  };
}

/** What was observed as a value; `before` is what HAProxy was last known to be, whose shape need not be read again. */
export async function runningOf(
  observed: Observed,
  before: RunningEdge | undefined,
  files: EdgeFiles,
  signal: AbortSignal,
): Promise<RunningEdge> {
  const { loaded, certificates, frontends, maps } = observed;
  const backends = parseBackends(observed.backends);
  const shape = isShapeOf(before, loaded, backends) ? before.shape : await readShape(loaded.fingerprint, backends, files, signal);
  return {
    ...loaded,
    shape,
    instances: parseServers(observed.servers, shape, parseLimits(observed.limits ?? '')),
    hosts: parseMap(maps.hosts),
    vhosts: parseMap(maps.vhosts),
    variants: parseMap(maps.variants),
    paths: parseMap(maps.paths),
    certificates,
    closed: parseClosed(frontends),
  };
}

/**
 * Reads what HAProxy is, without knowing anything before.
 * @throws OperationError when HAProxy does not answer.
 */
export async function readRunning(files: EdgeFiles, signal: AbortSignal): Promise<RunningEdge> {
  return await runningOf(await observe(files, true, signal), undefined, files, signal);
}

function isShapeOf(before: RunningEdge | undefined, { fingerprint }: LoadedHaproxy, names: readonly string[]): before is RunningEdge {
  const groups = before?.fingerprint === fingerprint ? before.shape?.groups : undefined;
  return groups !== undefined && groups.size === names.length && names.every((name) => groups.has(name));
}

async function readShape(
  fingerprint: string,
  names: readonly string[],
  files: EdgeFiles,
  signal: AbortSignal,
): Promise<EdgeShape | undefined> {
  const loaded = await knownShape(files, fingerprint);
  return loaded && (await shapeNow(loaded, names, files, signal));
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
  return new Set(parseDead(text));
}

async function knownShape(files: EdgeFiles, fingerprint: string): Promise<EdgeShape | undefined> {
  if (!/^[0-9a-f]{16}$/.test(fingerprint)) return undefined;
  try {
    return decodeShape(await readFile(files.shape(fingerprint), 'utf8'));
  } catch {
    return undefined;
  }
}
