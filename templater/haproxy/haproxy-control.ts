import type { Logger } from '../../daemon/log.ts';
import type { EdgePlan } from '../../model/edge.ts';
import { type AppliedActions, applyActions } from './apply-actions.ts';
import { NO_SERVER_STATE, replaceFile } from './config-files.ts';
import { driftOf } from './drift.ts';
import type { EdgeAction } from './edge-change.ts';
import type { EdgeMetrics } from './edge-metrics.ts';
import { type EdgeSettings, edgeFiles } from './edge-settings.ts';
import { digestOf, type LoadedHaproxy, type ObservedDigest } from './haproxy-answers.ts';
import {
  awaitHaproxy,
  type HaproxyProcesses,
  isListenedOn,
  isProcessOf,
  isThere,
  readProcesses,
  reloadHaproxy,
  startHaproxy,
} from './haproxy-process.ts';
import { observe, readServersState, runningOf } from './observe.ts';
import { awaitOwnPorts } from './ports.ts';
import { NO_RELOADS, waitBeforeReload } from './reload-pace.ts';
import type { RenderedEdge } from './render.ts';
import { type RunningEdge, runningAsPlanned } from './running-edge.ts';

/** The one HAProxy of a run directory: what it is, and what it can be told. All of it throws OperationError when HAProxy does not answer as it should. */
export interface HaproxyControl {
  /** What HAProxy is, as far as is known without asking. */
  readonly running: () => RunningEdge | undefined;
  /** What it was last known to be loaded with. */
  readonly fingerprint: () => string | undefined;
  /** What HAProxy is: as it was left, or read anew when nothing is known or `look` asks for it. Undefined when none runs. */
  readonly know: (look: boolean, signal: AbortSignal) => Promise<RunningEdge | undefined>;
  /** Workers of earlier configurations that still had connections when HAProxy was looked at last. */
  readonly oldWorkers: () => number;
  /** Whether a HAProxy that was known has ended. Cheap. */
  readonly hasEnded: () => Promise<boolean>;
  readonly tell: (before: RunningEdge, actions: readonly EdgeAction[], signal: AbortSignal) => Promise<AppliedActions>;
  /** Starts one from the files that were written for the plan. */
  readonly start: (plan: EdgePlan, rendered: RenderedEdge, signal: AbortSignal) => Promise<void>;
  /** How long to wait until a reload may be done, milliseconds. */
  readonly waitBeforeReload: (signal: AbortSignal) => Promise<number>;
  /** Loads the files that were written for the plan. */
  readonly reload: (plan: EdgePlan, rendered: RenderedEdge, signal: AbortSignal) => Promise<void>;
}

export function createHaproxyControl({
  settings,
  metrics,
  log,
}: {
  settings: EdgeSettings;
  metrics: EdgeMetrics;
  log: Logger;
}): HaproxyControl {
  const files = edgeFiles(settings.runDir);
  let running: RunningEdge | undefined;
  let fingerprint: string | undefined;
  let pace = NO_RELOADS;
  let failedReloads = 0;
  let keptState: string | undefined;
  let oldWorkers = 0;
  let looksSinceLimits = 0;
  /** What HAProxy answered when it was last found to be what `running` says. */
  let asFound: { readonly running: RunningEdge; readonly digest: ObservedDigest } | undefined;

  /** What HAProxy is after something failed is read anew. */
  async function orForget<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      running = undefined;
      throw error;
    }
  }

  async function countProcesses(signal: AbortSignal): Promise<HaproxyProcesses> {
    const processes = await readProcesses(files, signal);
    oldWorkers = processes.oldWorkers;
    metrics.oldWorkers(oldWorkers);
    return processes;
  }

  async function look(signal: AbortSignal): Promise<RunningEdge | undefined> {
    if (!(await isThere(files))) {
      if (running !== undefined) log.warn({}, 'HAProxy has ended');
      return undefined;
    }
    // A master that hangs holds up nothing but the count.
    void countProcesses(signal).catch(() => {});
    return await read(signal);
  }

  async function read(signal: AbortSignal): Promise<RunningEdge> {
    const limits = running === undefined || looksSinceLimits >= looksPerLimits(running);
    looksSinceLimits = limits ? 0 : looksSinceLimits + 1;
    const observed = await observe(files, limits, signal);
    const digest = digestOf(observed);
    fingerprint = observed.loaded.fingerprint;
    if (running !== undefined && asFound?.running === running && isAsFound(digest, asFound.digest)) return running;
    const seen = await runningOf(observed, running, files, signal);
    if (running === undefined) {
      log.info({ worker: seen.pid, known: seen.shape !== undefined }, 'read what HAProxy has');
      return seen;
    }
    const drift = driftOf(running, seen);
    if (drift.length === 0) {
      const found = { ...running, ...observed.loaded };
      asFound = { running: found, digest };
      return found;
    }
    metrics.drifted(drift.length);
    log.warn({ drift: drift.slice(0, 20), count: drift.length }, 'HAProxy was changed by somebody else, repairing it');
    return limits ? seen : withLimitsOf(running, seen);
  }

  return {
    running: () => running,
    fingerprint: () => fingerprint,
    oldWorkers: () => oldWorkers,
    know: async (isLooking, signal) => {
      if (running === undefined || isLooking) running = await orForget(look(signal));
      return running;
    },
    hasEnded: async () => {
      if (running === undefined || isProcessOf(files, running.pid)) return false;
      return !(await isListenedOn(files.runtimeSocket).catch(() => true));
    },
    tell: async (before, actions, signal) => {
      const applied = await orForget(applyActions(before, actions, files, signal));
      running = applied.refused === undefined ? applied.running : undefined;
      return applied;
    },
    start: async (plan, rendered, signal) => {
      if (!settings.awaitHaproxy) await awaitOwnPorts(settings, plan.certificates.size > 0, signal);
      const started = settings.awaitHaproxy
        ? await awaitHaproxy(files, rendered.fingerprint, signal)
        : await startHaproxy(settings.haproxy, settings.runDir, files, signal);
      metrics.started();
      loadedWith(started, plan, rendered);
    },
    waitBeforeReload: async (signal) => {
      const processes = await countProcesses(signal);
      failedReloads = processes.failedReloads;
      const { waitMs, next } = waitBeforeReload(performance.now(), pace, processes.oldWorkers);
      if (waitMs === 0) pace = next;
      return waitMs;
    },
    reload: async (plan, rendered, signal) => {
      await keepServerState(plan, signal);
      const loaded = await orForget(reloadHaproxy(files, rendered.fingerprint, failedReloads, signal));
      metrics.reloaded();
      loadedWith(loaded, plan, rendered);
    },
  };

  function loadedWith(loaded: LoadedHaproxy, plan: EdgePlan, { shape }: RenderedEdge): void {
    fingerprint = loaded.fingerprint;
    running = runningAsPlanned(loaded, plan, shape);
  }

  /** What active checks have found goes on in the new worker; without checks there is nothing to keep. */
  async function keepServerState({ groups }: EdgePlan, signal: AbortSignal): Promise<void> {
    const hasChecks = [...groups.values()].some(({ check }) => check !== undefined);
    const text = hasChecks ? `${await readServersState(files, signal)}\n` : NO_SERVER_STATE;
    if (text === NO_SERVER_STATE && keptState === text) return;
    keptState = undefined;
    await replaceFile(files.serverState, text);
    keptState = text;
  }
}

/** Whether nothing was told to HAProxy since; limits that were not asked for count as what they were. */
function isAsFound({ state, limits }: ObservedDigest, before: ObservedDigest): boolean {
  return state === before.state && (limits === undefined || limits === before.limits);
}

/** Limits are many bytes to read: of this many instances at a look on average, as others seldom change them by hand. */
const LIMITS_PER_LOOK = 500;

function looksPerLimits({ instances }: RunningEdge): number {
  let count = 0;
  for (const all of instances.values()) count += all.size;
  return Math.ceil(count / LIMITS_PER_LOOK);
}

/** What was seen without limits of connections has those that were set before. */
function withLimitsOf(before: RunningEdge, seen: RunningEdge): RunningEdge {
  const instances = new Map(
    [...seen.instances].map(([group, all]) => [
      group,
      new Map(
        [...all].map(([name, instance]) => [name, { ...instance, maxConnections: before.instances.get(group)?.get(name)?.maxConnections }]),
      ),
    ]),
  );
  return { ...seen, instances };
}
