import { CronTime } from 'cron';
import { sleep } from '../daemon/sleep.ts';

/** Comes around every so many seconds, or at the times of a cron expression, until the signal aborts. */
export async function* resyncTimes(schedule: number | string, signal: AbortSignal): AsyncGenerator<void> {
  while (!signal.aborted) {
    await sleep(waitMs(schedule, Date.now()), signal);
    if (!signal.aborted) yield;
  }
}

/** How long from `nowMs` until the next time, milliseconds. */
export function waitMs(schedule: number | string, nowMs: number): number {
  if (typeof schedule === 'number') return schedule * 1_000;
  return Math.max(1, new CronTime(schedule).getNextDateFrom(new Date(nowMs)).toMillis() - nowMs);
}
