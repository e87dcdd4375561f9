import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from '../../daemon/backoff.ts';

test.each<[failures: number, jitter: number, ms: number]>([
  [0, 0, 0],
  [-1, 0, 0],
  [1, 0, 100],
  [2, 0, 200],
  [3, 0, 400],
  [6, 0, 2_000],
  [100_000, 0, 2_000],
  [1, 1, 50],
  [6, 0.5, 1_500],
])('after %i failures with jitter %d: %i ms', (failures, jitter, ms) => {
  expect(backoffMs(failures, 100, 2_000, jitter)).toBe(ms);
});

test('is never longer than the most, nor shorter than half of what it would be', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, jitter) => {
      const whole = backoffMs(failures, 50, 10_000, 0);
      const ms = backoffMs(failures, 50, 10_000, jitter);
      expect(ms).toBeLessThanOrEqual(10_000);
      expect(ms).toBeGreaterThanOrEqual(whole / 2);
    }),
  );
});
