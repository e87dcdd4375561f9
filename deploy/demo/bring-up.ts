import { writeFile } from 'node:fs/promises';
import { innerSignal } from '../../daemon/inner-signal.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { askHttp } from '../ask.ts';
import { ENGINE_URL, ensureEngine } from '../host/docker-engine.ts';
import { installNeeds } from '../host/needs.ts';
import { firstOfHost, hostNodeName, ownAddresses } from '../host/own-addresses.ts';
import { portUse } from '../host/port-use.ts';
import type { ProcessIdentity } from '../host/process-identity.ts';
import type { Progress } from '../progress.ts';
import { shownDuration } from '../progress.ts';
import { PROJECT_FOLDER } from '../project.ts';
import { supervise } from '../supervise.ts';
import { waitUntil } from '../wait-until.ts';
import { chooseDemoPorts, type DemoPorts, movedPortNotes } from './demo-ports.ts';
import { consulConfig, type DemoPlan, type DemoProgram, demoPrograms } from './demo-programs.ts';
import type { DemoFiles, StateBook } from './demo-state.ts';
import { buildExampleImage, readExamples, startExamples } from './example-containers.ts';
import { isFairSplit, measureSplit, type Split } from './split.ts';
import { demoVisits, tryVisit, type VisitResult } from './visits.ts';

/** How long everything may take to be served after the last start, milliseconds. */
const SERVED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** A demo that is up. */
export interface UpDemo {
  readonly ports: DemoPorts;
  readonly results: readonly VisitResult[];
  readonly split: Split;
}

/** What bringing up needs of the one who called. */
export interface BringUp {
  readonly files: DemoFiles;
  readonly book: StateBook;
  readonly progress: Progress;
  /** Keeps the programs running; they end when it aborts. */
  readonly programs: AbortSignal;
  /** Given what waits for the programs' ends. */
  readonly keep: (supervision: Promise<void>) => void;
}

/** Installs, starts and waits, step by step, until every visit answers. @throws OperationError that names the step that failed. */
export async function bringUp({ files, book, progress, programs, keep }: BringUp, signal: AbortSignal): Promise<UpDemo> {
  await installNeeds(progress, signal);
  const engine = await progress.step(
    'Docker engine',
    () => ensureEngine(files.logs, signal),
    ({ version, started }) => `${version}, ${started === undefined ? 'was running' : 'started'}`,
  );
  if (engine.started !== undefined) await book.change({ engine: engine.started });
  const { ports, moved } = await chooseDemoPorts(portUse);
  for (const note of movedPortNotes(moved)) progress.note(note);
  await book.change({ ports });
  const plan = planOf(files, ports);
  await writeFile(files.consulConfig, JSON.stringify(consulConfig(plan), undefined, 2));

  await progress.step('Example image', () => buildExampleImage(PROJECT_FOLDER, signal));
  await startPrograms(plan, { book, progress, programs, keep }, signal);
  const apps = await readExamples(PROJECT_FOLDER, ports);
  await progress.step(
    'Example containers',
    () => startExamples(apps, files.runDir, signal),
    () => apps.map(({ id }) => id.slice(1)).join(', '),
  );
  const results = await progress.step('Served', () => waitUntilServed(ports, files, signal));
  const split = await progress.step(
    'Measured the split',
    () => measureSplit(ports.http, signal),
    (counts) =>
      Object.entries(counts)
        .map(([name, count]) => `${name} ${count}`)
        .join(', '),
  );
  if (!isFairSplit(split)) throw new OperationError('measure the split', { hint: `weights 100 and 1 gave ${JSON.stringify(split)}` });
  return { ports, results, split };
}

/** Consul first; the two services wait for it by themselves, so they start at the same moment. */
async function startPrograms(
  plan: DemoPlan,
  { book, progress, programs, keep }: Omit<BringUp, 'files'>,
  signal: AbortSignal,
): Promise<void> {
  const readyPaths: Readonly<Record<DemoProgram, { title: string; port: number; path: string; answer: RegExp }>> = {
    consul: { title: 'Consul', port: plan.ports.consul, path: '/v1/status/leader', answer: /:\d+/ },
    registrator: { title: 'Registrator', port: plan.ports.registrator, path: '/health/ready', answer: /ready/ },
    templater: { title: 'Templater and HAProxy', port: plan.ports.templater, path: '/health/ready', answer: /ready/ },
  };
  using either = innerSignal(signal);
  for (const program of demoPrograms(plan)) {
    const options = {
      logFolder: plan.files.logs,
      started: (identity: ProcessIdentity) => void remember(book, program.name, identity),
      lost: (how: string, againInMs: number) => progress.note(`${program.name} ended (${how}), again in ${shownDuration(againInMs)}`),
    };
    keep(supervise(program, options, programs).catch((error: unknown) => either.end(error)));
  }
  for (const { name } of demoPrograms(plan)) {
    const { title, port, path, answer } = readyPaths[name];
    await progress.step(title, () =>
      waitFor(title, () => askHttp({ port, path }, either.signal).then((text) => answer.test(text)), plan.files, either.signal),
    );
  }
}

async function remember(book: StateBook, name: DemoProgram, identity: ProcessIdentity): Promise<void> {
  await book.change({ programs: { ...book.state().programs, [name]: identity } });
}

async function waitUntilServed(ports: DemoPorts, files: DemoFiles, signal: AbortSignal): Promise<readonly VisitResult[]> {
  const visits = demoVisits(ports);
  let results: readonly VisitResult[] = [];
  const good = async () => {
    results = await Promise.all(visits.map((visit) => tryVisit(visit, signal)));
    const bad = results.find((result) => result.kind === 'bad');
    if (bad?.kind === 'bad') throw new Error(`${bad.visit.command}: ${bad.why}`);
    return true;
  };
  await waitFor('the examples', good, files, signal);
  return results;
}

function waitFor(what: string, holds: () => Promise<boolean>, { logs }: DemoFiles, signal: AbortSignal): Promise<void> {
  return waitUntil(holds, { what, withinMs: SERVED_WITHIN_MS, everyMs: LOOK_EVERY_MS, hint: `logs in ${logs}` }, signal);
}

function planOf(files: DemoFiles, ports: DemoPorts): DemoPlan {
  return {
    files,
    ports,
    address: firstOfHost(ownAddresses())?.address ?? '127.0.0.1',
    nodeName: hostNodeName(),
    projectFolder: PROJECT_FOLDER,
    engineUrl: ENGINE_URL,
  };
}
