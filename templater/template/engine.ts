import { setMaxListeners } from 'node:events';
import { bytesOf } from '../../consul/byte-text.ts';
import type { WatchTransport } from '../../consul/transport.ts';
import { createAlarm } from '../../daemon/alarm.ts';
import { coalesce } from '../../daemon/coalesce.ts';
import { innerSignal } from '../../daemon/inner-signal.ts';
import type { Logger } from '../../daemon/log.ts';
import type { ProblemBook } from '../../daemon/problem-book.ts';
import { type ActionFailure, type Actions, createActions } from './actions.ts';
import { type Answers, createAnswers } from './answers.ts';
import { markDone } from './due-marker.ts';
import { PULSE_TIMES, type PulseTimes } from './feeds/pulse.ts';
import type { Hold } from './holds.ts';
import type { Query } from './query.ts';
import { createSharedActions } from './shared-actions.ts';
import { createStartGuard } from './start-guard.ts';
import type { ActionConfig, TemplateConfig } from './template-config.ts';
import { createTemplateJob, type TemplateJob } from './template-job.ts';
import type { TemplateMetrics } from './template-metrics.ts';
import { jobProblems, statusOf, type TemplateStatus, type Work } from './template-status.ts';

export interface EngineSettings {
  readonly holdMs: number;
  readonly renderLimitMs: number;
  readonly actionIntervalMs: number;
  /** How the agent is felt for; {@link PULSE_TIMES} unless said. */
  readonly pulse?: PulseTimes;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface EnginePorts {
  readonly transportFor: (dc: string) => WatchTransport;
  /**
   * Makes a destination hold a text; `isAlone`: no other is being written meanwhile.
   * @throws Error when it cannot; it is tried again at the next change, and after a while.
   */
  readonly apply: (
    config: TemplateConfig,
    text: string,
    isAlone: boolean,
    signal: AbortSignal,
  ) => Promise<{ readonly isWritten: boolean; readonly isActionDue: boolean }>;
  readonly runAction: (action: ActionConfig, destinations: readonly string[], signal: AbortSignal) => Promise<void>;
  /** Told after each round in which files were written, with their number. */
  readonly written: (files: number) => void;
  readonly problems: ProblemBook;
  readonly metrics: TemplateMetrics;
  readonly log: Logger;
  readonly now?: () => number;
}

export interface TemplateEngine {
  /** Renders whenever it has to, until the signal aborts; another set of templates takes the place of the first by `use`. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly use: (configs: readonly TemplateConfig[]) => void;
  readonly status: () => readonly TemplateStatus[];
  readonly answers: Answers;
  /** What is withheld as implausible: changes of Consul, and at the start the writing of files. */
  readonly holds: () => readonly Hold[];
  /** Believes what is withheld of one query, service or destination, or all; answers what that was. */
  readonly release: (subject?: string) => readonly string[];
  readonly failures: () => readonly ActionFailure[];
  /** Resolves when every template is current or has failed for good, and nothing is due any more. */
  readonly allDone: (signal: AbortSignal) => Promise<void>;
  /** Resolves when every template has been rendered, and is written or has to keep the file of an earlier run. */
  readonly allWritten: (signal: AbortSignal) => Promise<void>;
}

/** How long a file that could not be written waits for the next try, milliseconds. */
const APPLY_AGAIN_MS = 5_000;
/** How often Consul is asked whether it is still empty, while a file of an earlier run stays for that, milliseconds. */
const LOOK_AGAIN_MS = 1_000;

export function createTemplateEngine(settings: EngineSettings, ports: EnginePorts, signal: AbortSignal): TemplateEngine {
  const { problems, metrics, log, now = Date.now } = ports;
  const rounds = coalesce<string>(round);
  // Every query and every command listens for the end.
  setMaxListeners(0, signal);
  const alarm = createAlarm(rounds.tell);
  signal.addEventListener('abort', alarm.off);
  const answers = createAnswers(
    {
      transportFor: ports.transportFor,
      changed: () => rounds.tell('changed'),
      log,
      holdMs: settings.holdMs,
      pulse: settings.pulse ?? PULSE_TIMES,
      now,
    },
    signal,
  );
  const actions: Actions = createActions({ run: ports.runAction, done: markDone, ran, log, intervalMs: settings.actionIntervalMs }, signal);
  const shared = createSharedActions(writtenTogether, actions.due);
  const startGuard = createStartGuard({ transport: ports.transportFor(''), holdMs: settings.holdMs, log, now }, signal);
  let works: readonly Work[] = [];
  let isNewSet = true;
  let waiters: readonly { readonly when: () => boolean; readonly resolve: () => void }[] = [];

  function ran(action: ActionConfig, ms: number, error: Error | undefined): void {
    metrics.ran(action, ms, error);
    rounds.tell('action');
  }

  async function round(): Promise<void> {
    const startedAt = performance.now();
    const evaluated = works.map(evaluateOne);
    if (isNewSet || evaluated.includes(true)) answers.follow(uniqueQueries(works.map(({ job }) => job)));
    isNewSet = false;
    const ready = works.filter(
      (work) => work.text !== undefined && work.text !== work.applied && work.applying === undefined && work.retryAt <= now(),
    );
    const isAlone = ready.length === 1 && works.every(({ applying }) => applying === undefined);
    for (const work of ready) work.applying = applyOne(work, isAlone);
    await Promise.race([Promise.all(works.map(({ applying }) => applying)), sleepAtMost()]);
    tellProblems();
    wakeLater();
    metrics.round(performance.now() - startedAt, holds().length, answers.hasFailures() ? answers.failing().length : 0);
    for (const { when, resolve } of waiters) if (when()) resolve();
  }

  function holds(): readonly Hold[] {
    return [...answers.holds(), ...startGuard.holds()];
  }

  /** Answers whether it was evaluated. */
  function evaluateOne(work: Work): boolean {
    const { job } = work;
    const startedAt = performance.now();
    const outcome = job.round(answers.store, { env: settings.env, limitMs: settings.renderLimitMs, isGivenUp: answers.isGivenUp }, now());
    if (outcome.kind === 'nothing') return false;
    const { evaluation } = outcome;
    metrics.evaluated(job.name, evaluation.kind, performance.now() - startedAt);
    if (evaluation.kind === 'rendered') {
      work.text = evaluation.text;
      work.renderedAt = now();
      work.retryAt = 0;
      metrics.current(job.name, now());
    }
    if (evaluation.kind === 'failed')
      log.error({ template: job.name, err: evaluation.error.message }, 'template failed, its last file stays');
    return true;
  }

  /** The actions of all that was written together are due together. */
  async function applyOne(work: Work, isAlone: boolean): Promise<void> {
    const { config, name } = work.job;
    const text = work.text ?? '';
    try {
      work.isWithheld = await startGuard.withholds(config.destination, text, work.job.queries());
      if (work.isWithheld) {
        work.retryAt = now() + LOOK_AGAIN_MS;
        return;
      }
      const { isWritten, isActionDue } = await ports.apply(config, text, isAlone, signal);
      work.applied = text;
      work.applyError = undefined;
      if (isWritten) {
        work.writtenAt = now();
        metrics.written(name);
        log.info({ template: name, destination: config.destination, bytes: bytesOf(text).length }, 'written');
        ports.written(1);
      }
      if (isActionDue && config.action !== undefined) shared.soon(config.action, config.destination);
    } catch (error) {
      if (signal.aborted) return;
      work.applyError = error instanceof Error ? error.message : String(error);
      work.retryAt = now() + APPLY_AGAIN_MS;
      log.error({ template: name, destination: config.destination, err: error }, 'not written, the last file stays');
    } finally {
      work.applying = undefined;
      rounds.tell('applied');
    }
  }

  /** Waits for what still gathers its first answers or is being written, but not for a slow check, so that one command serves them all. */
  async function writtenTogether(): Promise<void> {
    using gathering = innerSignal(signal, GATHERED_WITHIN_MS);
    await until(() => !works.some(isGathering), gathering.signal);
    await Promise.race([Promise.all(works.map(({ applying }) => applying)), sleepAtMost()]);
  }

  /** Looked at after each round. */
  async function until(when: () => boolean, end: AbortSignal): Promise<void> {
    if (end.aborted) return;
    const waiter = { when, resolve: () => {} };
    const reached = new Promise<void>((resolve) => (waiter.resolve = resolve));
    waiters = [...waiters, waiter];
    rounds.tell('waited for');
    await Promise.race([reached, aborted(end)]);
    waiters = waiters.filter((each) => each !== waiter);
  }

  function isAllDone(): boolean {
    return works.every((work) => {
      const last = work.job.last();
      if (last === undefined || last.kind === 'waiting' || work.applying !== undefined) return false;
      return last.kind === 'failed' || work.applyError !== undefined || work.text === work.applied;
    });
  }

  function tellProblems(): void {
    problems.set(
      'templates',
      works.flatMap(({ job, applyError }) => jobProblems(job, applyError, answers)),
    );
    problems.set(
      'actions',
      actions
        .failures()
        .flatMap(({ action, destinations, error }) =>
          destinations.map((subject) => ({ subject, option: 'command', value: action, reason: `${error}; it is tried again` })),
        ),
    );
  }

  function wakeLater(): void {
    const times = works
      .flatMap(({ job, retryAt, text, applied }) => [job.wakeAt() ?? 0, text === applied ? 0 : retryAt])
      .filter((at) => at > now());
    if (times.length > 0) alarm.in(Math.min(...times) - now(), 'time');
  }

  return {
    answers,
    run: async (end) => {
      rounds.tell('start');
      await rounds.run(end);
      await actions.ended();
    },
    use: (configs) => {
      works = configs.map((config) => keptWork(works, config));
      // Somebody may have taken a file away, or changed it: whether they are what they should be is looked at anew.
      for (const work of works) work.applied = undefined;
      isNewSet = true;
      rounds.tell('templates');
    },
    holds,
    release: (subject) => {
      const released = [...answers.release(subject), ...startGuard.release(subject)];
      for (const work of works) if (released.includes(work.job.config.destination)) work.retryAt = 0;
      rounds.tell('released');
      return released;
    },
    failures: actions.failures,
    status: () => works.map((work) => statusOf(work, answers)),
    allDone: async (end) => {
      await until(isAllDone, end);
      await shared.told();
      if (!end.aborted) await Promise.race([actions.settled(), aborted(end)]);
    },
    allWritten: (end) => until(() => works.every(({ applied, isWithheld }) => applied !== undefined || isWithheld), end),
  };
}

/** Files that are written within this time share a command, milliseconds. */
const TOGETHER_MS = 200;

/** How long a command waits for other templates to have their first answers, milliseconds: at a start, all share one. */
const GATHERED_WITHIN_MS = 1_000;

function isGathering({ job }: Work): boolean {
  return job.last()?.missing.some(({ why }) => why === undefined) ?? true;
}

async function sleepAtMost(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS).unref());
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** A template that stays the same keeps what it has come to. */
function keptWork(works: readonly Work[], config: TemplateConfig): Work {
  const same = works.find(({ job }) => JSON.stringify(job.config) === JSON.stringify(config));
  if (same !== undefined) return same;
  return {
    job: createTemplateJob(config),
    text: undefined,
    applied: undefined,
    applying: undefined,
    applyError: undefined,
    isWithheld: false,
    retryAt: 0,
    renderedAt: 0,
    writtenAt: 0,
  };
}

function uniqueQueries(jobs: readonly TemplateJob[]): readonly Query[] {
  return [...new Map(jobs.flatMap((job) => job.queries()).map((query) => [query.id, query])).values()];
}
