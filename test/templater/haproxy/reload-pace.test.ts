import { expect, test } from '@jest/globals';
import { NO_RELOADS, waitBeforeReload } from '../../../templater/haproxy/reload-pace.ts';

/** How long each of some reloads waits that are asked for at these times, milliseconds. */
function waits(askedAt: readonly number[], oldWorkers = 0): number[] {
  let pace = NO_RELOADS;
  return askedAt.map((at) => {
    const { waitMs } = waitBeforeReload(at, pace, oldWorkers);
    pace = waitBeforeReload(at + waitMs, pace, oldWorkers).next;
    return waitMs;
  });
}

test.each<[title: string, askedAt: number[], oldWorkers: number, waitMs: number[]]>([
  ['the first one goes at once', [0], 0, [0]],
  ['even beside old workers', [0], 9, [0]],
  ['so do those of a short burst', [0, 0, 50], 0, [0, 0, 0]],
  ['more of them wait for the rest of a second each', [0, 0, 0, 100, 1_100], 0, [0, 0, 0, 900, 900]],
  ['one a second never waits', [0, 1_000, 2_000, 3_000, 4_000, 5_000], 0, [0, 0, 0, 0, 0, 0]],
  ['after a quiet time there is a burst again', [0, 0, 0, 3_000, 3_000, 3_000, 3_000], 0, [0, 0, 0, 0, 0, 0, 1_000]],
  ['a few old workers cost nothing', [0, 0, 0, 0], 4, [0, 0, 0, 1_000]],
  ['each further one doubles the time', [0, 0, 0, 0], 6, [0, 0, 0, 4_000]],
  ['up to a bound', [0, 0, 0, 0], 100, [0, 0, 0, 16_000]],
])('%s', (_, askedAt, oldWorkers, waitMs) => {
  expect(waits(askedAt, oldWorkers)).toEqual(waitMs);
});

test('a hundred services in five seconds are a handful of reloads', () => {
  let [pace, at, reloads] = [NO_RELOADS, 0, 0];
  while (at <= 5_000) {
    const { waitMs, next } = waitBeforeReload(at, pace, 0);
    if (waitMs > 0) {
      at += waitMs;
      continue;
    }
    [pace, reloads, at] = [next, reloads + 1, at + 50];
  }

  expect(reloads).toBeLessThanOrEqual(8);
});
