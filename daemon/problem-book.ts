import { type Problem, problemKey } from '../model/problem.ts';
import type { Logger } from './log.ts';

/** A problem, and when it was first seen, ISO 8601. */
export type KnownProblem = Problem & { readonly since: string };

/** A problem as /status tells it: every field is there. */
export interface ToldProblem {
  readonly subject: string;
  readonly option: string | null;
  readonly value: string | null;
  readonly reason: string;
  readonly related: readonly string[];
  readonly since: string;
}

export function toldProblem({ subject, option, value, reason, related, since }: KnownProblem): ToldProblem {
  return { subject, option: option ?? null, value: value ?? null, reason, related: related ?? [], since };
}

export interface ProblemBook {
  /** Replaces all problems of one source (such as `plan`, `apply`) by those there are now. */
  readonly set: (source: string, problems: readonly Problem[]) => void;
  /** All there are, those of one subject together. */
  readonly list: () => readonly KnownProblem[];
}

/** Keeps the problems of a program, since when each is there, and logs each when it comes and when it is gone. */
export function createProblemBook(log: Logger, now: () => number = Date.now): ProblemBook {
  const bySource = new Map<string, Map<string, KnownProblem>>();
  const given = new Map<string, readonly Problem[]>();
  return {
    set: (source, problems) => {
      if (given.get(source) === problems) return;
      given.set(source, problems);
      const before = bySource.get(source) ?? new Map<string, KnownProblem>();
      const after = new Map<string, KnownProblem>();
      for (const problem of problems) {
        const key = problemKey(problem);
        const known = before.get(key);
        if (known === undefined) log.warn({ problem }, 'problem');
        after.set(key, known ?? { ...problem, since: new Date(now()).toISOString() });
      }
      for (const [key, { since: _, ...problem }] of before) if (!after.has(key)) log.info({ problem }, 'problem is over');
      bySource.set(source, after);
    },
    list: () =>
      [...bySource.values()]
        .flatMap((known) => [...known.values()])
        .sort((a, b) => (a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0)),
  };
}
