import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type InspectedContainer, inspection } from './inspection.ts';
import { tempDir } from './temp-dir.ts';

/** Something that speaks Docker's API on a unix socket, where no engine can be had, or none would do what a test is about. */
export interface DockerDouble extends AsyncDisposable {
  /** `unix:///…` */
  readonly url: string;
  /** How often each was asked for. */
  readonly asked: { inspections: number; lists: number };
  /** There is such a container now; no event tells it. */
  readonly put: (id: string, container: InspectedContainer) => void;
  readonly remove: (id: string) => void;
  /** A line of the event stream, as the engine sends it: an object, or raw text. */
  readonly send: (line: object | string) => void;
  /** Events of a container in the format of Engine 29: no `status`, `id`, `from`. */
  readonly event: (id: string, action: string, attributes?: Readonly<Record<string, string>>) => void;
  /** There is such a container, and its start is told. */
  readonly start: (id: string, container: InspectedContainer) => void;
  /** From now on the answer about this container is none that an engine gives. */
  readonly breakInspectionOf: (id: string) => void;
  /** Ends every event stream as an engine does that is stopped: Engine 29 cleanly, 20.10 in the middle. */
  readonly endStreams: (isClean: boolean) => void;
  /** From now on nothing is answered, and nothing ends: as an engine that hangs, or a connection that is half open. */
  readonly goSilent: () => void;
  /** Holds back the answers to inspections until the promise is settled. */
  readonly delayInspections: (until: Promise<unknown>) => void;
}

export async function startDockerDouble(): Promise<DockerDouble> {
  const folder = await tempDir();
  const socketPath = join(folder.path, 'docker.sock');
  const containers = new Map<string, InspectedContainer>();
  const streams = new Set<ServerResponse>();
  const broken = new Set<string>();
  const past: string[] = [];
  const asked = { inspections: 0, lists: 0 };
  let isSilent = false;
  let inspectionsWait: Promise<unknown> = Promise.resolve();

  const json = (answer: ServerResponse, status: number, body: unknown) =>
    answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const server = createServer((incoming, answer) => {
    if (isSilent) return;
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://docker');
    const id = /^\/containers\/([^/]+)\/json$/.exec(pathname)?.[1];
    if (pathname === '/events') return void events(answer, searchParams.has('until'));
    if (pathname === '/_ping') return void answer.end('OK');
    if (pathname === '/info') return void json(answer, 200, { ID: 'double' });
    if (pathname === '/containers/json') {
      asked.lists += 1;
      return void json(
        answer,
        200,
        [...containers]
          .filter(([, { state }]) => searchParams.get('all') === 'true' || state !== 'exited')
          .map(([key, container]) => listed(key, container)),
      );
    }
    if (id === undefined) return void json(answer, 404, { message: `page not found: ${pathname}` });
    asked.inspections += 1;
    const container = containers.get(id);
    void inspectionsWait.finally(() =>
      container === undefined
        ? json(answer, 404, { message: `No such container: ${id}` })
        : json(answer, 200, broken.has(id) ? { Id: id } : inspection({ id, ...container })),
    );
  });
  const events = (answer: ServerResponse, isPast: boolean) => {
    answer.writeHead(200, { 'content-type': 'application/jsonl' });
    answer.flushHeaders();
    if (isPast) return void answer.end(past.slice(-256).join(''));
    streams.add(answer);
    answer.on('close', () => streams.delete(answer));
  };
  const send = (line: object | string) => {
    const text = typeof line === 'string' ? line : `${JSON.stringify(line)}\n`;
    past.push(text);
    for (const stream of streams) stream.write(text);
  };
  const event = (id: string, action: string, attributes: Readonly<Record<string, string>> = {}) => {
    const nowMs = Date.now();
    const Actor = { ID: id, Attributes: { name: containers.get(id)?.name ?? '', ...attributes } };
    send({ Type: 'container', Action: action, Actor, scope: 'local', time: Math.floor(nowMs / 1_000), timeNano: nowMs * 1e6 });
  };
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    url: `unix://${socketPath}`,
    asked,
    put: (id, container) =>
      void containers.set(id, { startedAt: new Date(Date.now() - 1).toISOString(), ...containers.get(id), ...container }),
    remove: (id) => void containers.delete(id),
    send,
    event,
    start: (id, container) => {
      containers.set(id, { startedAt: new Date(Date.now() - 1).toISOString(), ...container });
      event(id, 'start');
    },
    breakInspectionOf: (id) => void broken.add(id),
    endStreams: (isClean) => {
      for (const stream of streams) isClean ? stream.end() : stream.destroy();
    },
    goSilent: () => {
      isSilent = true;
    },
    delayInspections: (until) => {
      inspectionsWait = until;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await folder[Symbol.asyncDispose]();
    },
  };
}

function listed(id: string, { name = 'web1', state = 'running', health }: InspectedContainer): object {
  return {
    Id: id,
    Names: [`/${name}`],
    State: state,
    Status: `Up 2 minutes${health === undefined ? '' : ` (${health === 'starting' ? 'health: starting' : health})`}`,
    Ports: [],
    NetworkSettings: { Networks: {} },
  };
}
