import type { Logger } from '../../daemon/log.ts';
import type { EdgePlan } from '../../model/edge.ts';
import { applyActions } from './apply-actions.ts';
import { NO_SERVER_STATE, replaceFile } from './config-files.ts';
import { driftOf } from './drift.ts';
import type { EdgeAction } from './edge-change.ts';
import type { EdgeMetrics } from './edge-metrics.ts';
import { type EdgeSettings, edgeFiles } from './edge-settings.ts';
import { isListenedOn, isThere, readProcesses, reloadHaproxy, startHaproxy } from './haproxy-process.ts';
import { readRunning, readServersState } from './observe.ts';
import { waitBeforeReload } from './reload-pace.ts';
import type { RenderedEdge } from './render.ts';
import { type RunningEdge, runningAsPlanned } from './running-edge.ts';

/** The one HAProxy of a run directory: what it is, and what it can be told. All of it throws OperationError when HAProxy does not answer as it should. */
export interface HaproxyControl {
  /** What HAProxy is, as far as is known without asking. */
  readonly running: () => RunningEdge | undefined;
  /** What HAProxy is: as it was left, or read anew when nothing is known or `look` asks for it. Undefined when none runs. */
  readonly know: (look: boolean, signal: AbortSignal) => Promise<RunningEdge | undefined>;
  /** Forgets what HAProxy is, so that it is read anew. */
  readonly forget: () => void;
  /** Whether a HAProxy that was known has ended. Cheap. */
  readonly hasEnded: () => Promise<boolean>;
  readonly tell: (
    before: RunningEdge,
    actions: readonly EdgeAction[],
    signal: AbortSignal,
  ) => Promise<{ readonly commands: number; readonly lingering: number }>;
  /** Starts one from the files that were written for the plan. */
  readonly start: (plan: EdgePlan, rendered: RenderedEdge, signal: AbortSignal) => Promise<void>;
  /** Loads the files that were written for the plan, or answers how long to wait until it may, milliseconds. */
  readonly reload: (plan: EdgePlan, rendered: RenderedEdge, signal: AbortSignal) => Promise<number>;
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
  let lastReloadAt: number | undefined;

  async function read(signal: AbortSignal): Promise<RunningEdge> {
    const seen = await readRunning(files, running === undefined, signal);
    if (running === undefined) {
      log.info({ worker: seen.pid, known: seen.shape !== undefined }, 'read what HAProxy has');
      return seen;
    }
    const drift = driftOf(running, seen);
    if (drift.length === 0) return { ...running, pid: seen.pid };
    metrics.drifted(drift.length);
    log.warn({ drift: drift.slice(0, 20), count: drift.length }, 'HAProxy was changed by somebody else, repairing it');
    return withLimitsOf(running, seen);
  }

  return {
    running: () => running,
    forget: () => {
      running = undefined;
    },
    know: async (look, signal) => {
      if (running !== undefined && !look) return running;
      if (!(await isThere(files))) {
        if (running !== undefined) log.warn('HAProxy has ended');
        running = undefined;
        return undefined;
      }
      running = await read(signal);
      return running;
    },
    hasEnded: async () => running !== undefined && !(await isListenedOn(files.runtimeSocket).catch(() => true)),
    tell: async (before, actions, signal) => {
      if (actions.length === 0) return { commands: 0, lingering: 0 };
      running = undefined;
      const applied = await applyActions(before, actions, files, signal);
      running = applied.running;
      return { commands: applied.done === 0 ? 0 : applied.commands, lingering: applied.lingering };
    },
    start: async (plan, rendered, signal) => {
      const { pid } = await startHaproxy(settings.haproxy, settings.runDir, files, signal);
      metrics.started();
      running = runningAsPlanned(pid, plan, rendered.shape);
    },
    reload: async (plan, rendered, signal) => {
      const { oldWorkers } = await readProcesses(files, signal);
      metrics.oldWorkers(oldWorkers);
      const wait = waitBeforeReload(performance.now(), lastReloadAt, oldWorkers);
      if (wait > 0) return wait;
      lastReloadAt = performance.now();
      await keepServerState(plan, signal);
      const { pid } = await reloadHaproxy(files, rendered.fingerprint, signal);
      metrics.reloaded();
      running = runningAsPlanned(pid, plan, rendered.shape);
      return 0;
    },
  };

  /** What active checks have found goes on in the new worker; without checks there is nothing to keep. */
  async function keepServerState({ groups }: EdgePlan, signal: AbortSignal): Promise<void> {
    const hasChecks = [...groups.values()].some(({ check }) => check !== undefined);
    await replaceFile(files.serverState, hasChecks ? `${await readServersState(files, signal)}\n` : NO_SERVER_STATE);
  }
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
