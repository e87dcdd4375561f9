import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { findProgram } from '../../daemon/find-program.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { docker } from '../host/docker-engine.ts';
import { dockerRunArguments, type MarathonApp, readMarathonApp } from '../marathon-app.ts';
import type { DemoPorts } from './demo-ports.ts';

/** The image that the examples name. */
export const EXAMPLE_IMAGE = 'toots-example';

/** The Marathon JSON of what the demo starts, below examples/. */
export const EXAMPLE_FILES = [
  'SimpleWebapp/deploy.json',
  'SimpleWebapp/deploy-canary.json',
  'PathRoute/deploy.json',
  'TcpService/deploy.json',
] as const;

/** The port that TcpService/deploy.json asks of the edge. */
const EXAMPLE_TCP_PORT = 7007;

/** Builds the examples' image of this machine's static busybox; the engine's cache makes the second time short. */
export async function buildExampleImage(projectFolder: string, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'toots-image-'));
  try {
    await cp(join(projectFolder, 'examples/image'), folder, { recursive: true });
    const busybox = findProgram('busybox');
    if (busybox === undefined) throw new OperationError('build the example image', { subject: 'busybox', hint: 'install busybox-static' });
    await copyFile(busybox, join(folder, 'busybox'));
    await docker(['build', '--quiet', '--tag', EXAMPLE_IMAGE, folder], signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The examples as the demo starts them: their JSON, with the TCP port this machine could give. */
export async function readExamples(projectFolder: string, ports: DemoPorts): Promise<readonly MarathonApp[]> {
  const apps = await Promise.all(EXAMPLE_FILES.map((file) => readMarathonApp(join(projectFolder, 'examples', file))));
  return apps.map((app) => withTcpPort(app, ports.tcp));
}

/** Pure. */
export function withTcpPort(app: MarathonApp, port: number): MarathonApp {
  const env = Object.entries(app.env).map(([key, value]) => [key, value.replace(`haproxy_tcp=${EXAMPLE_TCP_PORT}`, `haproxy_tcp=${port}`)]);
  return { ...app, env: Object.fromEntries(env) };
}

/** Every container of a demo carries it, with the demo's run folder. */
function ownLabel(runDir: string): string {
  return `toots.demo=${runDir}`;
}

/** Starts all of them, named after the run folder, in the place of those that an earlier demo left in an engine that did not run then. */
export async function startExamples(apps: readonly MarathonApp[], runDir: string, signal: AbortSignal): Promise<void> {
  const start = (app: MarathonApp) => {
    const name = `${basename(runDir)}-${app.id.slice(1).replaceAll('/', '-')}`;
    return docker(dockerRunArguments(app, { name, labels: [ownLabel(runDir)] }), signal);
  };
  await removeExamples(runDir);
  await Promise.all(apps.map(start));
}

/** A container of a demo, as `docker ps` tells it. */
export interface ExampleContainer {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

export async function listExamples(runDir: string): Promise<readonly ExampleContainer[]> {
  const lines = await docker(['ps', '--all', '--filter', `label=${ownLabel(runDir)}`, '--format', '{{.ID}}\t{{.Names}}\t{{.Status}}']);
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', name = '', status = ''] = line.split('\t');
      return { id, name, status };
    });
}

/** Removes every container of a demo, whatever its state, and none of anyone else. Answers how many there were. */
export async function removeExamples(runDir: string): Promise<number> {
  const ids = (await listExamples(runDir)).map(({ id }) => id);
  if (ids.length > 0) await docker(['rm', '--force', '--volumes', ...ids]);
  return ids.length;
}
