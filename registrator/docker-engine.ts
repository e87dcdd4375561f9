import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import * as v from 'valibot';
import { withDeadline } from '../daemon/deadline.ts';
import { faultLines } from '../daemon/fault-lines.ts';
import { mapOf } from '../daemon/fields.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { type Container, type DockerHealth, parseContainer } from './container.ts';
import { type DockerEvent, parseDockerEvent } from './docker-event.ts';
import { nameOfTags } from './service-name.ts';

/** What a registrator asks a Docker engine. Every call throws OperationError when there is no good answer in time. */
export interface DockerEngine {
  readonly subject: string;
  /** The engine's own ID, which stays when it is restarted or its host is renamed. */
  readonly id: (signal: AbortSignal) => Promise<string>;
  readonly ping: (signal: AbortSignal) => Promise<void>;
  /** Running containers, or all there are. */
  readonly list: (isAll: boolean, signal: AbortSignal) => Promise<readonly ListedContainer[]>;
  /** Undefined when there is no such container. */
  readonly inspect: (id: string, signal: AbortSignal) => Promise<Container | undefined>;
  /** What an image ID stands for; undefined when it has no name. */
  readonly imageName: (imageId: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Subscribed once it resolves; the events end, or throw, when the engine is lost. */
  readonly events: (signal: AbortSignal) => Promise<AsyncIterable<DockerEvent>>;
  /** What the engine remembers since then, by its own clock. */
  readonly pastEvents: (sinceMs: number, signal: AbortSignal) => Promise<readonly DockerEvent[]>;
}

/** A container in a list, and a text that changes when an inspection would tell something new. */
export interface ListedContainer {
  readonly id: string;
  readonly fingerprint: string;
  readonly names: readonly string[];
  readonly isPaused: boolean;
  /** Absent where there is none, and where the list does not tell, as of a paused one. */
  readonly health?: DockerHealth;
}

/** Pure: whether the list tells something of a container that its inspection did not, as far as that changes without a start. */
export function tellsOtherwise({ names, isPaused, health }: ListedContainer, { name, state }: Container): boolean {
  return !names.includes(name) || isPaused !== state.isPaused || (health !== undefined && health !== state.health);
}

/** How long an answer may take, milliseconds; an inspection waits for a container that is being taken down. */
const TIMEOUT_MS = 10_000;
/** How long the engine may take to tell what it remembers, milliseconds. */
const PAST_EVENTS_WITHIN_MS = 1_000;

/** Speaks to an engine: `unix:///…`, `tcp://HOST:PORT` (with TLS where certificates are given), `http(s)://HOST:PORT`. No API version is asked for: each engine speaks its own. */
export function createDockerEngine(url: string, { keepsInspection, tls }: { keepsInspection: boolean; tls?: DockerTls }): DockerEngine {
  const docker = new Docker(dockerOptions(url, tls));
  const asked = async <Value>(what: string, ask: (within: AbortSignal) => Promise<Value>, signal: AbortSignal): Promise<Value> => {
    try {
      return await withDeadline(TIMEOUT_MS, signal, ask);
    } catch (cause) {
      throw failure(what, url, cause, signal);
    }
  };
  return {
    subject: url,
    id: (signal) => asked('Docker info', async () => v.parse(parsedInfo, await docker.info()).ID, signal),
    ping: (signal) => asked('Docker ping', () => docker.ping(), signal),
    list: (all, signal) =>
      asked(
        'Docker list',
        async (abortSignal) => v.parse(parsedList, await docker.listContainers({ all, abortSignal })).map(parseListed),
        signal,
      ),
    inspect: (id, signal) =>
      asked(
        'Docker inspect',
        (abortSignal) =>
          unlessUnknown(async () => parseContainer(await docker.getContainer(id).inspect({ abortSignal }), { keepsInspection })),
        signal,
      ),
    imageName: (id, signal) =>
      asked(
        'Docker image',
        () => unlessUnknown(async () => nameOfTags(v.parse(parsedImage, await docker.getImage(id).inspect()).RepoTags ?? [])),
        signal,
      ),
    events: async (signal) => {
      const stream = await asked('Docker events', () => docker.getEvents({ abortSignal: signal }), signal);
      return eventsOf(stream, url, signal);
    },
    pastEvents: async (sinceMs, signal) => {
      const span = { since: sinceMs / 1_000, until: Date.now() / 1_000 };
      const stream = await asked('Docker past events', (abortSignal) => docker.getEvents({ ...span, abortSignal }), signal);
      return whatComes(stream, url, signal);
    },
  };
}

export interface DockerTls {
  /** A folder with ca.pem, cert.pem and key.pem. */
  readonly folder: string;
}

/** `DOCKER_HOST`, else where the engine's socket usually is, else where gliderlabs registrator's containers have it. */
export function defaultDockerUrl(isThere: (path: string) => boolean = existsSync): string {
  const usual = '/var/run/docker.sock';
  const mounted = '/tmp/docker.sock';
  return `unix://${!isThere(usual) && isThere(mounted) ? mounted : usual}`;
}

function dockerOptions(url: string, tls: DockerTls | undefined): Docker.DockerOptions {
  // Docker's client fills what is not said from its own environment, and would prefer that.
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol === 'unix:') return { host: '', socketPath: decodeURIComponent(pathname) };
  const file = (name: string) => readCertificate(join(tls?.folder ?? '', name));
  const isSecure = tls !== undefined || protocol === 'https:';
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port || (isSecure ? '2376' : '2375'),
    protocol: isSecure ? 'https' : 'http',
    ...(tls !== undefined && { ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') }),
  };
}

function readCertificate(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new OperationError('reading a certificate for Docker', {
      subject: path,
      cause,
      hint: 'DOCKER_CERT_PATH, or -docker-cert-path, must be a folder with ca.pem, cert.pem and key.pem',
    });
  }
}

const parsedInfo = v.object({ ID: v.pipe(v.string(), v.nonEmpty()) });
const parsedImage = v.object({ RepoTags: v.nullish(v.array(v.string())) });
const parsedList = v.array(
  v.object({
    Id: v.string(),
    Names: v.nullish(v.array(v.string())),
    State: v.optional(v.string(), ''),
    Status: v.optional(v.string(), ''),
    Ports: v.nullish(v.array(mapOf(v.unknown()))),
    NetworkSettings: v.nullish(v.object({ Networks: v.nullish(mapOf(v.nullable(v.object({ IPAddress: v.nullish(v.string()) })))) })),
  }),
);

/** The status text says for how long, and the health; ports come in any order. */
function parseListed({ Id, Names, State, Status, Ports, NetworkSettings }: v.InferOutput<typeof parsedList>[number]): ListedContainer {
  const health = /\((.*)\)/.exec(Status)?.[1];
  const networks = Object.entries(NetworkSettings?.Networks ?? {}).map(([name, network]) => `${name} ${network?.IPAddress ?? ''}`);
  const ports = (Ports ?? []).map((port) => JSON.stringify(Object.entries(port).sort()));
  const known = HEALTH_IN_LIST[health ?? ''];
  return {
    id: Id,
    fingerprint: JSON.stringify([Names, State, health, ports.sort(), networks.sort()]),
    names: (Names ?? []).map((name) => name.replace(/^\//, '')),
    isPaused: State === 'paused',
    ...(known !== undefined && { health: known }),
  };
}

const HEALTH_IN_LIST: Readonly<Record<string, DockerHealth>> = {
  healthy: 'healthy',
  unhealthy: 'unhealthy',
  'health: starting': 'starting',
};

async function unlessUnknown<Value>(ask: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isStatus(error) && error.statusCode === 404) return undefined;
    throw error;
  }
}

function isStatus(error: unknown): error is { statusCode: number } {
  return typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number';
}

function failure(what: string, subject: string, cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return cause;
  if (cause instanceof DOMException && cause.name === 'TimeoutError') {
    return new OperationError(what, { subject, cause, hint: `no answer within ${TIMEOUT_MS} ms` });
  }
  if (v.isValiError(cause))
    return new OperationError(what, { subject, cause, hint: `not what an engine answers: ${faultLines(cause.issues).join('; ')}` });
  return cause instanceof Error ? new OperationError(what, { subject, cause }) : cause;
}

/** A clean end is no error, and no news either: the engine is lost all the same. */
async function* eventsOf(stream: NodeJS.ReadableStream, subject: string, signal: AbortSignal): AsyncGenerator<DockerEvent> {
  let rest = '';
  stream.setEncoding('utf8');
  try {
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = line.trim() === '' ? undefined : parseDockerEvent(JSON.parse(line));
        if (event !== undefined) yield event;
      }
    }
  } catch (cause) {
    if (signal.aborted) return;
    throw new OperationError('Docker events', { subject, cause });
  }
}

/** What came until the end, or until there was no more time: an engine whose clock is behind ends it late. */
async function whatComes(stream: NodeJS.ReadableStream, subject: string, signal: AbortSignal): Promise<readonly DockerEvent[]> {
  const all: DockerEvent[] = [];
  const over = new AbortController();
  const end = () => {
    over.abort();
    if (stream instanceof Readable) stream.destroy();
  };
  const timer = setTimeout(end, PAST_EVENTS_WITHIN_MS);
  signal.addEventListener('abort', end);
  try {
    for await (const event of eventsOf(stream, subject, over.signal)) all.push(event);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
  return all;
}
