import type { Problem } from '../../model/problem.ts';
import type { Answers } from './answers.ts';
import type { Evaluation } from './evaluate.ts';
import type { TemplateJob } from './template-job.ts';

/** A template at work: what it is rendered to, and what its file holds. */
export interface Work {
  readonly job: TemplateJob;
  /** What the file has to hold; undefined before the first rendering. */
  text: string | undefined;
  /** What it holds by our doing. */
  applied: string | undefined;
  applying: Promise<void> | undefined;
  applyError: string | undefined;
  /** The file of an earlier run stays for now. */
  isWithheld: boolean;
  retryAt: number;
  renderedAt: number;
  writtenAt: number;
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

function missingOf(evaluation: Evaluation | undefined, answers: Answers): TemplateStatus['missing'] {
  // What has answered since is not missing any more; the template is rendered when the rest has.
  const missing = (evaluation?.missing ?? []).filter(({ query, why }) => why !== undefined || answers.store.get(query.id) === undefined);
  return missing.map(({ query, why }) => ({ query: query.id, why: why ?? answers.failure(query) ?? 'there is no answer yet' }));
}

/** What is wrong with a template. Pure. */
export function jobProblems(job: TemplateJob, applyError: string | undefined, answers: Answers): readonly Problem[] {
  const last = job.last();
  const isAway = answers.hasFailures();
  const given = isAway ? (last?.seen.filter(({ query }) => answers.isGivenUp(query)) ?? []) : [];
  // What was asked for a moment ago is no problem.
  const missing = last?.missing.filter(({ query, why }) => why !== undefined || (isAway && answers.failure(query) !== undefined)) ?? [];
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

/** How a template fares. Pure. */
export function statusOf(work: Work, answers: Answers): TemplateStatus {
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
