import { rm, rmdir } from 'node:fs/promises';
import { endEngine, engineVersion } from '../host/docker-engine.ts';
import { endProcess, isRunning, processesOf } from '../host/process-identity.ts';
import { type DemoFiles, type DemoState, demoFiles } from './demo-state.ts';
import { removeExamples } from './example-containers.ts';

/** How long a program may take to end, milliseconds. */
const END_WITHIN_MS = 8_000;

/**
 * Ends what a demo started and is still there: its containers, its programs, the HAProxy of its run folder, the engine if it started that.
 * Nothing else: containers are known by their label, processes by number and start time or by the run folder in their command line.
 * `stopSupervising` is called before the programs are ended, so that nobody starts them again.
 * Answers what it ended, in words.
 */
export async function takeDown(
  files: DemoFiles,
  { programs, engine }: Pick<DemoState, 'programs' | 'engine'>,
  stopSupervising: () => void = () => {},
): Promise<readonly string[]> {
  const running = Object.entries(programs).filter(([, identity]) => isRunning(identity));
  const containers = (await engineVersion()) === undefined ? 0 : await removeExamples(files.runDir);
  stopSupervising();
  await Promise.all(running.map(([, identity]) => endProcess(identity, END_WITHIN_MS)));
  const hasHaproxy = await endHaproxy(files); // now that no templater starts it again
  const ended = [
    ...(containers > 0 ? [`${containers} ${containers === 1 ? 'container' : 'containers'}`] : []),
    ...(hasHaproxy ? ['haproxy'] : []),
    ...running.map(([name]) => name),
  ];
  if (engine !== undefined && isRunning(engine)) {
    const { othersContainers } = await endEngine(engine);
    ended.push(othersContainers === 0 ? 'the Docker engine' : `not the Docker engine: ${othersContainers} other containers run on it`);
  }
  return ended;
}

async function endHaproxy({ edge }: DemoFiles): Promise<boolean> {
  const processes = processesOf('haproxy', edge);
  await Promise.all(processes.map((found) => endProcess(found, END_WITHIN_MS)));
  return processes.length > 0;
}

/** Removes what a demo wrote; a folder that holds something else too stays. */
export async function removeFiles(runDir: string, { keepLogs }: { readonly keepLogs: boolean }): Promise<void> {
  const { edge, consulConfig, logs, state } = demoFiles(runDir);
  const written = [edge, consulConfig, ...(keepLogs ? [] : [logs]), state];
  await Promise.all(written.map((path) => rm(path, { recursive: true, force: true })));
  await rmdir(runDir).catch(() => {}); // not empty: others' files, or the logs
}
