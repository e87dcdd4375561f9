import { expect, test } from '@jest/globals';
import { waitBeforeReload } from '../../../templater/haproxy/reload-pace.ts';

test.each<[title: string, sinceMs: number | undefined, oldWorkers: number, waitMs: number]>([
  ['the first one goes at once', undefined, 0, 0],
  ['even beside old workers', undefined, 9, 0],
  ['a second one at once waits', 0, 0, 250],
  ['for what is left of the time', 100, 0, 150],
  ['not after it', 250, 0, 0],
  ['nor long after it', 10_000, 0, 0],
  ['an old worker doubles the time', 0, 1, 500],
  ['three of them', 500, 3, 1_500],
  ['any number of them', 0, 100, 16_000],
])('%s', (_, sinceMs, oldWorkers, waitMs) => {
  const now = 1_000_000;

  expect(waitBeforeReload(now, sinceMs === undefined ? undefined : now - sinceMs, oldWorkers)).toBe(waitMs);
});
