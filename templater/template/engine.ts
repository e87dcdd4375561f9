import type { WatchTransport } from '../../consul/transport.ts';
import { createAlarm } from '../../daemon/alarm.ts';
import { coalesce } from '../../daemon/coalesce.ts';
import type { Logger } from '../../daemon/log.ts';
import type { ProblemBook } from '../../daemon/problem-book.ts';
import type { Problem } from '../../model/problem.ts';
import { type ActionFailure, type Actions, createActions } from './actions.ts';
import { type Answers, createAnswers } from './answers.ts';
import { markDone } from './due-marker.ts';
import type { Evaluation } from './evaluate.ts';
import type { Query } from './query.ts';
import type { ActionConfig, TemplateConfig } from './template-config.ts';
import { createTemplateJob, type TemplateJob } from './template-job.ts';
import type { TemplateMetrics } from './template-metrics.ts';

export interface EngineSettings {
  readonly holdMs: number;
  readonly renderLimitMs: number;
  readonly actionIntervalMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface EnginePorts {
  readonly transportFor: (dc: string) => WatchTransport;
  /** Makes a destination hold a text. @throws Error when it cannot; it is tried again at the next change, and after a while. */
  readonly apply: (
    config: TemplateConfig,
    text: string,
    signal: AbortSignal,
  ) => Promise<{ readonly isWritten: boolean; readonly isActionDue: boolean }>;
  readonly runAction: (action: ActionConfig, signal: AbortSignal) => Promise<void>;
  /** Told after each round in which files were written, with their number. */
  readonly written: (files: number) => void;
  readonly problems: ProblemBook;
  readonly metrics: TemplateMetrics;
  readonly log: Logger;
  readonly now?: () => number;
}

/** How a template fares, for /status. */
export interface TemplateStatus {
  readonly template: string;
  readonly destination: string;
  readonly state: 'starting' | 'current' | 'waiting' | 'failed';
  readonly missing: readonly { readonly query: string; readonly why: string }[];
  readonly dependencies: number;
  /** ISO 8601; absent before the first time. */
  readonly renderedAt?: string;
  readonly writtenAt?: string;
  readonly error?: string;
}

export interface TemplateEngine {
  /** Renders whenever it has to, until the signal aborts; another set of templates takes the place of the first by `use`. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly use: (configs: readonly TemplateConfig[]) => void;
  readonly status: () => readonly TemplateStatus[];
  readonly answers: Answers;
  readonly failures: () => readonly ActionFailure[];
  /** Resolves when every template is current or has failed for good, and nothing is due any more. */
  readonly allDone: (signal: AbortSignal) => Promise<void>;
}

/** How long a file that could not be written waits for the next try, milliseconds. */
const APPLY_AGAIN_MS = 5_000;

interface Work {
  readonly job: TemplateJob;
  /** What the file has to hold; undefined before the first rendering. */
  text: string | undefined;
  /** What it holds by our doing. */
  applied: string | undefined;
  applying: Promise<void> | undefined;
  applyError: string | undefined;
  retryAt: number;
  renderedAt: number;
  writtenAt: number;
}

export function createTemplateEngine(settings: EngineSettings, ports: EnginePorts, signal: AbortSignal): TemplateEngine {
  const { problems, metrics, log, now = Date.now } = ports;
  const rounds = coalesce<string>(round);
  const alarm = createAlarm(rounds.tell);
  signal.addEventListener('abort', alarm.off);
  const answers = createAnswers(
    { transportFor: ports.transportFor, changed: () => rounds.tell('changed'), log, holdMs: settings.holdMs, now },
    signal,
  );
  const actions: Actions = createActions(
    { run: ports.runAction, done: markDone, ran: metrics.ran, log, intervalMs: settings.actionIntervalMs },
    signal,
  );
  let works: readonly Work[] = [];
  let done: (() => void) | undefined;

  async function round(): Promise<void> {
    const startedAt = performance.now();
    for (const work of works) evaluateOne(work);
    answers.follow(uniqueQueries(works.map(({ job }) => job)));
    const ready = works.filter(
      (work) => work.text !== undefined && work.text !== work.applied && work.applying === undefined && work.retryAt <= now(),
    );
    for (const work of ready) work.applying = applyOne(work);
    await Promise.race([Promise.all(works.map(({ applying }) => applying)), sleepAtMost()]);
    tellProblems();
    wakeLater();
    metrics.round(performance.now() - startedAt, answers.holds().length, answers.failing().length);
    if (isAllDone()) done?.();
  }

  function evaluateOne(work: Work): void {
    const { job } = work;
    const startedAt = performance.now();
    const outcome = job.round(answers.store, { env: settings.env, limitMs: settings.renderLimitMs, isGivenUp: answers.isGivenUp }, now());
    if (outcome.kind === 'nothing') return;
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
  }

  /** The actions of all that was written together are due together. */
  async function applyOne(work: Work): Promise<void> {
    const { config, name } = work.job;
    const text = work.text ?? '';
    try {
      const { isWritten, isActionDue } = await ports.apply(config, text, signal);
      work.applied = text;
      work.applyError = undefined;
      if (isWritten) {
        work.writtenAt = now();
        metrics.written(name);
        log.info({ template: name, destination: config.destination, bytes: Buffer.byteLength(text) }, 'written');
        ports.written(1);
      }
      if (isActionDue && config.action !== undefined) dueSoon(config.action, config.destination);
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

  let dueActions: (() => void)[] = [];
  let told: Promise<void> | undefined;

  /** Waits for what is still being written, but not for a slow check, so that one command serves them all. */
  function dueSoon(action: ActionConfig, destination: string): void {
    dueActions.push(() => actions.due(action, destination));
    told ??= tellDue();
  }

  async function tellDue(): Promise<void> {
    await Promise.race([Promise.all(works.map(({ applying }) => applying)), sleepAtMost()]);
    told = undefined;
    const tell = dueActions;
    dueActions = [];
    for (const each of tell) each();
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
      rounds.tell('templates');
    },
    failures: actions.failures,
    status: () => works.map((work) => statusOf(work, answers)),
    allDone: async (end) => {
      await new Promise<void>((resolve) => {
        done = resolve;
        end.addEventListener('abort', () => resolve(), { once: true });
        rounds.tell('all done?');
      });
      await told;
      if (!end.aborted) await actions.settled();
    },
  };
}

/** Files that are written within this time share a command, milliseconds. */
const TOGETHER_MS = 200;

async function sleepAtMost(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS).unref());
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
    retryAt: 0,
    renderedAt: 0,
    writtenAt: 0,
  };
}

function uniqueQueries(jobs: readonly TemplateJob[]): readonly Query[] {
  return [...new Map(jobs.flatMap((job) => job.queries()).map((query) => [query.id, query])).values()];
}

function missingOf(evaluation: Evaluation | undefined, answers: Answers): TemplateStatus['missing'] {
  return (evaluation?.missing ?? []).map(({ query, why }) => ({
    query: query.id,
    why: why ?? answers.failure(query) ?? 'there is no answer yet',
  }));
}

function jobProblems(job: TemplateJob, applyError: string | undefined, answers: Answers): readonly Problem[] {
  const last = job.last();
  const given = last?.seen.filter(({ query }) => answers.isGivenUp(query)) ?? [];
  // What was asked for a moment ago is no problem.
  const missing = last?.missing.filter(({ query, why }) => why !== undefined || answers.failure(query) !== undefined) ?? [];
  return [
    ...(last?.kind === 'failed' ? [{ subject: job.name, reason: last.error.message }] : []),
    ...(applyError === undefined ? [] : [{ subject: job.name, option: 'destination', value: job.config.destination, reason: applyError }]),
    ...missing.map(({ query, why }) => ({ subject: job.name, value: query.id, reason: `missing: ${why ?? answers.failure(query)}` })),
    ...given.map(({ query }) => ({
      subject: job.name,
      value: query.id,
      reason: `taken as empty: its datacenter does not answer: ${answers.failure(query)}`,
    })),
  ];
}

function statusOf(work: Work, answers: Answers): TemplateStatus {
  const last = work.job.last();
  const error = work.applyError ?? (last?.kind === 'failed' ? last.error.message : undefined);
  return {
    template: work.job.name,
    destination: work.job.config.destination,
    state: error !== undefined ? 'failed' : last === undefined ? 'starting' : last.kind === 'waiting' ? 'waiting' : 'current',
    missing: missingOf(last, answers),
    dependencies: last?.seen.length ?? 0,
    ...(work.renderedAt > 0 && { renderedAt: new Date(work.renderedAt).toISOString() }),
    ...(work.writtenAt > 0 && { writtenAt: new Date(work.writtenAt).toISOString() }),
    ...(error !== undefined && { error }),
  };
}
