import { expect, test } from '@jest/globals';
import { waitMs } from '../../registrator/resync-times.ts';

const NOON = Date.parse('2026-01-01T12:00:00.250Z');

test.each([
  [5, 5_000],
  ['*/30 * * * * *', 29_750],
  ['0 */5 * * * *', 299_750],
])('%j: again in %i ms', (schedule, ms) => {
  expect(waitMs(schedule, NOON)).toBe(ms);
});
