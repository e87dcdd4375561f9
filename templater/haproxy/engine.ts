import { createAlarm } from '../../daemon/alarm.ts';
import { coalesce } from '../../daemon/coalesce.ts';
import type { Logger } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import type { ProblemBook } from '../../daemon/problem-book.ts';
import { sleep } from '../../daemon/sleep.ts';
import type { Catalog } from '../../model/catalog.ts';
import type { EdgePlan } from '../../model/edge.ts';
import { createPlanner, type LastGood, type PlannedEdge } from '../../model/plan-edge.ts';
import { applyActions } from './apply-actions.ts';
import { createConfigWriter, keepShape, prepareRunDir, replaceFile } from './config-files.ts';
import { driftOf } from './drift.ts';
import { changeOfEdge, type EdgeAction } from './edge-change.ts';
import type { EdgeMetrics } from './edge-metrics.ts';
import { type EdgeSettings, edgeFiles } from './edge-settings.ts';
import { checkConfig } from './haproxy-binary.ts';
import { isListenedOn, isThere, readProcesses, reloadHaproxy, startHaproxy } from './haproxy-process.ts';
import { createListenPorts } from './listen-ports.ts';
import { readRunning } from './observe.ts';
import { waitBeforeReload } from './reload-pace.ts';
import { createRenderer, type HaproxyFeatures, type RenderedEdge } from './render.ts';
import { createResolver } from './resolver.ts';
import { type RunningEdge, runningAsPlanned } from './running-edge.ts';

/** What a round of the engine did, for /status. */
export interface LastRound {
  readonly at: string;
  readonly ms: number;
  readonly why: readonly string[];
  readonly did: 'nothing' | 'started' | 'runtime' | 'reload' | 'failed';
  /** Runtime API commands sent. */
  readonly commands: number;
  /** Why HAProxy was, or has to be, reloaded. */
  readonly reasons: readonly string[];
}

export interface EdgeEngine {
  /** Takes the newest catalog; those that it did not get to are skipped. */
  readonly follow: (catalog: Catalog, why: string) => void;
  /** Keeps HAProxy true to the catalog until the signal aborts. HAProxy goes on after that. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly status: () => {
    readonly planned: PlannedEdge | undefined;
    readonly running: RunningEdge | undefined;
    readonly lastRound: LastRound | undefined;
  };
}

export interface EdgeEngineParts {
  readonly settings: EdgeSettings;
  readonly features: HaproxyFeatures;
  readonly problems: ProblemBook;
  readonly metrics: EdgeMetrics;
  /** The rules that services had without a fault when the program last ran. */
  readonly lastGood: LastGood;
  readonly log: Logger;
}

const ALIVE_EVERY_MS = 250;
const DRIFT_EVERY_MS = 5_000;
/** How long instances with connections, busy ports and failed rounds wait for the next try, milliseconds. */
const AGAIN_MS = 1_000;

/** Makes the engine of an edge: one round at a time, each from the newest catalog and from what HAProxy is. */
export function createEdgeEngine({ settings, features, problems, metrics, lastGood: remembered, log }: EdgeEngineParts): EdgeEngine {
  const files = edgeFiles(settings.runDir);
  const makePlan = createPlanner();
  const render = createRenderer(settings, files, features);
  const write = createConfigWriter(files);
  const resolver = createResolver(() => rounds.tell('a host name was looked up'));
  const ports = createListenPorts(settings);
  const rounds = coalesce<string>((why) => round(why));
  const alarm = createAlarm(rounds.tell);
  let stop: AbortSignal = new AbortController().signal;

  let catalog: Catalog | undefined;
  let lastGood: LastGood = remembered;
  let planned: PlannedEdge | undefined;
  let running: RunningEdge | undefined;
  let validated: string | undefined;
  let lastReloadAt: number | undefined;
  let lastRound: LastRound | undefined;

  async function round(why: readonly string[]): Promise<void> {
    if (catalog === undefined) return;
    const started = performance.now();
    alarm.off();
    let done: Pick<LastRound, 'did' | 'commands' | 'reasons'>;
    try {
      done = await reconcile(catalog, why);
      problems.set('apply', []);
    } catch (error) {
      if (stop.aborted) return;
      running = undefined;
      done = failed(error);
    }
    const ms = performance.now() - started;
    metrics.round(done.did, ms, done.commands);
    if (done.did === 'nothing' && done.reasons.length === 0) return;
    lastRound = { at: new Date().toISOString(), ms: Math.round(ms * 10) / 10, why, ...done };
    log.info(lastRound, 'round');
  }

  function failed(error: unknown): Pick<LastRound, 'did' | 'commands' | 'reasons'> {
    if (!(error instanceof OperationError)) throw error;
    log.error({ err: error }, 'the round failed, HAProxy keeps what it has');
    problems.set('apply', [{ subject: 'edge', reason: error.message }]);
    alarm.in(AGAIN_MS, 'the last round failed');
    return { did: 'failed', commands: 0, reasons: [] };
  }

  async function reconcile(wanted: Catalog, why: readonly string[]): Promise<Pick<LastRound, 'did' | 'commands' | 'reasons'>> {
    const before = await knownRunning(why);
    planned = await planWithPorts(wanted, before);
    lastGood = planned.lastGood;
    problems.set('plan', planned.problems);
    resolver.need(planned.hostNames);
    const rendered = render(planned.plan);
    if (before === undefined) return start(planned.plan, rendered);
    const change = changeOfEdge(before, planned.plan, rendered.shape);
    const commands = await tell(before, change.actions);
    await keep(rendered);
    if (change.reasons.length > 0) return reload(planned.plan, rendered, change.reasons, commands);
    return { did: commands > 0 ? 'runtime' : 'nothing', commands, reasons: [] };
  }

  /** What HAProxy is: as we left it, or read anew at the first round, after a failure, and when it is time to look for drift. Undefined when none runs. */
  async function knownRunning(why: readonly string[]): Promise<RunningEdge | undefined> {
    if (running !== undefined && !why.includes(LOOK_FOR_DRIFT)) return running;
    if (!(await isThere(files))) {
      if (running !== undefined) log.warn('HAProxy has ended');
      running = undefined;
      return undefined;
    }
    const seen = await readRunning(files, stop);
    if (running === undefined) log.info({ worker: seen.pid, known: seen.shape !== undefined }, 'read what HAProxy has');
    const drift = running === undefined ? [] : driftOf(running, seen);
    if (drift.length > 0) {
      metrics.drifted(drift.length);
      log.warn({ drift: drift.slice(0, 20), count: drift.length }, 'HAProxy was changed by somebody else, repairing it');
    }
    running = drift.length === 0 && running !== undefined ? { ...running, pid: seen.pid } : seen;
    return running;
  }

  /** Ports that others have are only found by trying; then their claims are refused and the plan is made again. */
  async function planWithPorts(wanted: Catalog, before: RunningEdge | undefined): Promise<PlannedEdge> {
    const policyOf = () => ({
      domain: settings.domain,
      addedDomains: settings.addDomains,
      refusedPorts: ports.refused(),
      resolved: resolver.known(),
    });
    const first = makePlan(wanted, policyOf(), lastGood);
    if (ports.waiting()) alarm.in(AGAIN_MS, 'a port may be free again');
    const changed = await ports.probe(first, before?.shape?.listeners ?? new Map());
    if (ports.waiting()) alarm.in(AGAIN_MS, 'a port may be free again');
    return changed ? makePlan(wanted, policyOf(), lastGood) : first;
  }

  async function start(plan: EdgePlan, rendered: RenderedEdge): Promise<Pick<LastRound, 'did' | 'commands' | 'reasons'>> {
    await keep(rendered);
    const { pid } = await startHaproxy(settings.haproxy, settings.runDir, files, stop);
    metrics.started();
    running = runningAsPlanned(pid, plan, rendered.shape);
    return { did: 'started', commands: 0, reasons: ['no HAProxy was running'] };
  }

  async function tell(before: RunningEdge, actions: readonly EdgeAction[]): Promise<number> {
    if (actions.length === 0) return 0;
    running = undefined;
    const applied = await applyActions(before, actions, files, stop);
    running = applied.running;
    if (applied.lingering > 0) alarm.in(AGAIN_MS, 'instances finish their connections');
    return applied.done === 0 ? 0 : applied.commands;
  }

  /** The files are what a restart starts from: valid, and written after the runtime has it, so that nobody waits for the disk. */
  async function keep(rendered: RenderedEdge): Promise<void> {
    await write.maps(rendered);
    if (rendered.fingerprint !== validated) {
      await keepShape(settings.runDir, files, rendered);
      await replaceFile(files.candidate, rendered.config);
      await checkConfig(settings.haproxy, files.candidate, stop);
      validated = rendered.fingerprint;
    }
    await write.config(rendered);
  }

  async function reload(
    plan: EdgePlan,
    rendered: RenderedEdge,
    reasons: readonly string[],
    commands: number,
  ): Promise<Pick<LastRound, 'did' | 'commands' | 'reasons'>> {
    const { oldWorkers } = await readProcesses(files, stop);
    metrics.oldWorkers(oldWorkers);
    const wait = waitBeforeReload(performance.now(), lastReloadAt, oldWorkers);
    if (wait > 0) {
      alarm.in(wait, 'a reload is due');
      return { did: commands > 0 ? 'runtime' : 'nothing', commands, reasons };
    }
    lastReloadAt = performance.now();
    const { pid } = await reloadHaproxy(files, rendered.fingerprint, stop);
    metrics.reloaded();
    running = runningAsPlanned(pid, plan, rendered.shape);
    return { did: 'reload', commands, reasons };
  }

  async function lookAfter(signal: AbortSignal): Promise<void> {
    let lookedAt = performance.now();
    while (!signal.aborted) {
      await sleep(ALIVE_EVERY_MS, signal);
      const ended = running !== undefined && (await isListenedOn(files.runtimeSocket).catch(() => true)) === false;
      if (!ended && performance.now() - lookedAt < DRIFT_EVERY_MS) continue;
      lookedAt = performance.now();
      rounds.tell(LOOK_FOR_DRIFT);
    }
  }

  return {
    follow: (newest, why) => {
      catalog = newest;
      rounds.tell(why);
    },
    run: async (signal) => {
      stop = signal;
      await prepareRunDir(settings.runDir, files);
      await Promise.all([rounds.run(signal), lookAfter(signal)]);
    },
    status: () => ({ planned, running, lastRound }),
  };
}

const LOOK_FOR_DRIFT = 'look for drift';
