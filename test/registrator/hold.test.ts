import { expect, test } from '@jest/globals';
import type { Registered } from '../../consul/registration.ts';
import { drainHold, drainsOf, failedHold, isOurHold, LEFT, PAUSED, parseDrainHold } from '../../registrator/hold.ts';

test('a drain names its signal and when it was sent, and is read back', () => {
  const sentMs = Date.parse('2026-01-02T03:04:05.678Z');

  const reason = drainHold({ signal: 15, sentMs, heardMs: sentMs + 9 });

  expect(reason).toBe('toots: the container is being stopped (signal 15, 2026-01-02T03:04:05.678Z)');
  expect(parseDrainHold(reason, sentMs + 99)).toEqual({ signal: 15, sentMs, heardMs: sentMs });
});

test('an engine whose clock is ahead makes no drain longer', () => {
  const sentMs = Date.parse('2026-01-02T03:04:05.678Z');

  expect(parseDrainHold(drainHold({ signal: 15, sentMs, heardMs: 0 }), sentMs - 3_600_000)?.heardMs).toBe(sentMs - 3_600_000);
});

test('the drains of our containers are known by their services', () => {
  const maintenance = drainHold({ signal: 3, sentMs: 5_000, heardMs: 0 });
  const service = (owner: string, more: object) =>
    ({ meta: { 'toots-owner': owner, 'toots-container': 'c' }, ...more }) as unknown as Registered;

  expect(drainsOf([service('me', { maintenance })], 'me', 9_000)).toEqual([
    { container: 'c', sent: { signal: 3, sentMs: 5_000, heardMs: 5_000 } },
  ]);
  expect(drainsOf([service('other', { maintenance }), service('me', {}), service('me', { maintenance: PAUSED })], 'me', 9_000)).toEqual([]);
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
  expect(parseDrainHold(reason, 0)).toBeUndefined();
});

test('ours are told from an operator’s', () => {
  expect([drainHold(undefined), PAUSED, LEFT, failedHold(3)].every(isOurHold)).toBe(true);
  expect(isOurHold('maintenance of toots: tonight')).toBe(false);
});
