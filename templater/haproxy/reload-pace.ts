/** Reloads that may follow each other at once after a quiet time. */
const BURST = 3;
/** How often one more may be done in a storm, milliseconds. */
const PERIOD_MS = 1_000;
/** Old workers that cost little: those of a burst, until their clients' kept connections are over. Each further one doubles the period. */
const OLD_WORKERS = 4;
const MOST_DOUBLINGS = 4;

/** How reloads are paced: a time, in milliseconds, until which those that were done are paid for. */
export type ReloadPace = number;

/** When nothing was done yet. */
export const NO_RELOADS: ReloadPace = Number.NEGATIVE_INFINITY;

/**
 * How long to wait before the next reload, milliseconds, and the pace once it is done. A quiet edge reloads at once; a storm does a few and
 * then one a second, which all that came meanwhile share; workers of earlier configurations that stay make it rarer. Pure.
 */
export function waitBeforeReload(
  now: number,
  pace: ReloadPace,
  oldWorkers: number,
): { readonly waitMs: number; readonly next: ReloadPace } {
  const period = PERIOD_MS * 2 ** Math.min(Math.max(0, oldWorkers - OLD_WORKERS), MOST_DOUBLINGS);
  const paidUntil = Math.max(now, pace);
  return { waitMs: Math.max(0, paidUntil - now - (BURST - 1) * period), next: paidUntil + period };
}
