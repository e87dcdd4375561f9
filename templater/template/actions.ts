import { createAlarm } from '../../daemon/alarm.ts';
import { backoffMs } from '../../daemon/backoff.ts';
import type { Logger } from '../../daemon/log.ts';
import { actionKey, shownAction } from './run-action.ts';
import type { ActionConfig } from './template-config.ts';

/** Does what is due after files were written: once for several files, not too often, and again until it succeeded. */
export interface Actions {
  /** The destination was written, or its action is still due from an earlier run. */
  readonly due: (action: ActionConfig, destination: string) => void;
  /** Resolves when nothing is due or running any more, or when something has failed. */
  readonly settled: () => Promise<void>;
  readonly failures: () => readonly ActionFailure[];
  /** Resolves when what was running at the abort has ended. */
  readonly ended: () => Promise<void>;
}

export interface ActionFailure {
  readonly action: string;
  readonly destinations: readonly string[];
  readonly failures: number;
  readonly error: string;
}

export interface ActionPorts {
  readonly run: (action: ActionConfig, destinations: readonly string[], signal: AbortSignal) => Promise<void>;
  /** The action has succeeded after these were written. */
  readonly done: (destination: string) => void;
  readonly ran: (action: ActionConfig, ms: number, error: Error | undefined) => void;
  readonly log: Logger;
  /** Least time between two starts of one action, milliseconds. */
  readonly intervalMs: number;
}

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

interface Runner {
  readonly action: ActionConfig;
  readonly due: Set<string>;
  failures: number;
  error: string;
  startedAt: number;
  running: Promise<void> | undefined;
  readonly wake: (ms: number) => void;
}

export function createActions(ports: ActionPorts, signal: AbortSignal): Actions {
  const runners = new Map<string, Runner>();
  let waiting: (() => void)[] = [];

  function runnerOf(action: ActionConfig): Runner {
    const key = actionKey(action);
    const known = runners.get(key);
    if (known !== undefined) return known;
    const alarm = createAlarm(() => start(runner));
    signal.addEventListener('abort', alarm.off);
    const wake = (ms: number) => alarm.in(ms, 'action');
    const runner: Runner = {
      action,
      due: new Set(),
      failures: 0,
      error: '',
      startedAt: Number.NEGATIVE_INFINITY,
      running: undefined,
      wake,
    };
    runners.set(key, runner);
    return runner;
  }

  function start(runner: Runner): void {
    if (runner.running !== undefined || runner.due.size === 0 || signal.aborted) return;
    const restMs = runner.startedAt + ports.intervalMs - performance.now();
    if (restMs > 0) {
      runner.wake(restMs);
      return;
    }
    runner.running = run(runner).finally(() => {
      runner.running = undefined;
      if (runner.due.size > 0) runner.wake(runner.failures > 0 ? backoffMs(runner.failures, FIRST_RETRY_MS, MAX_RETRY_MS, 0) : 0);
      tellSettled();
    });
  }

  async function run(runner: Runner): Promise<void> {
    // What becomes due with it is done with it.
    await Promise.resolve();
    const destinations = [...runner.due];
    runner.due.clear();
    runner.startedAt = performance.now();
    const error = await attempt(() => ports.run(runner.action, destinations, signal));
    ports.ran(runner.action, performance.now() - runner.startedAt, error);
    if (error === undefined) {
      runner.failures = 0;
      for (const destination of destinations) if (!runner.due.has(destination)) ports.done(destination);
      ports.log.info({ action: shownAction(runner.action), destinations }, 'action done');
      return;
    }
    for (const destination of destinations) runner.due.add(destination);
    if (signal.aborted) return;
    runner.failures++;
    runner.error = error.message;
    ports.log.error(
      { action: shownAction(runner.action), destinations, failures: runner.failures, err: error },
      'action failed, trying again',
    );
  }

  function isSettled(): boolean {
    return [...runners.values()].every(({ due, running, failures }) => running === undefined && (due.size === 0 || failures > 0));
  }

  function tellSettled(): void {
    if (!isSettled()) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  return {
    due: (action, destination) => {
      const runner = runnerOf(action);
      runner.due.add(destination);
      if (runner.failures === 0) start(runner);
    },
    settled: () => (isSettled() ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    failures: () =>
      [...runners.values()].flatMap(({ action, due, failures, error }) =>
        failures === 0 ? [] : [{ action: shownAction(action), destinations: [...due], failures, error }],
      ),
    ended: async () => {
      await Promise.all([...runners.values()].map(({ running }) => running));
    },
  };
}

async function attempt(run: () => Promise<void>): Promise<Error | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
