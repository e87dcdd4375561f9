import { expect, test } from '@jest/globals';
import { drainHold, failedHold, isOurHold, LEFT, PAUSED, parseDrainHold } from '../../registrator/hold.ts';

test('a drain names its signal and when it was sent, and is read back', () => {
  const sentMs = Date.parse('2026-01-02T03:04:05.678Z');

  const reason = drainHold({ signal: 15, sentMs, heardMs: sentMs + 9 });

  expect(reason).toBe('toots: the container is being stopped (signal 15, 2026-01-02T03:04:05.678Z)');
  expect(parseDrainHold(reason)).toEqual({ signal: 15, sentMs, heardMs: sentMs });
});

test.each([
  drainHold(undefined),
  PAUSED,
  LEFT,
  failedHold(3),
  'toots: the container is being stopped (signal 15, some day)',
  'toots: the container is being stopped (signal x, 2026-01-02T03:04:05.678Z)',
  'by hand (signal 15, 2026-01-02T03:04:05.678Z)',
  '',
])('%j names no signal', (reason) => {
  expect(parseDrainHold(reason)).toBeUndefined();
});

test('ours are told from an operator’s', () => {
  expect([drainHold(undefined), PAUSED, LEFT, failedHold(3)].every(isOurHold)).toBe(true);
  expect(isOurHold('maintenance of toots: tonight')).toBe(false);
});
