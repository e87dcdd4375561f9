/** The least time between two reloads when no worker of an earlier one is left, milliseconds. */
const LEAST_MS = 250;
/** Twice the time for each old worker, up to this many doublings. */
const MOST_DOUBLINGS = 6;

/**
 * How long to wait before the next reload, milliseconds: 0 at once. The first of a burst goes at once, those that come
 * meanwhile share the next; workers that still finish their connections make it rarer. Pure.
 */
export function waitBeforeReload(now: number, lastReloadAt: number | undefined, oldWorkers: number): number {
  if (lastReloadAt === undefined) return 0;
  return Math.max(0, lastReloadAt + LEAST_MS * 2 ** Math.min(oldWorkers, MOST_DOUBLINGS) - now);
}
