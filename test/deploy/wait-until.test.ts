import { expect, test } from '@jest/globals';
import { waitUntil } from '../../deploy/wait-until.ts';

const waiting = { what: 'the tide', withinMs: 50, everyMs: 1, hint: 'see the moon' };

test('what throws or does not hold is asked again', async () => {
  let asked = 0;
  const holds = async () => {
    asked += 1;
    if (asked === 1) throw new Error('low');
    return asked === 3;
  };

  await waitUntil(holds, { ...waiting, withinMs: 10_000 }, new AbortController().signal);

  expect(asked).toBe(3);
});

test('the last thing that was thrown is told, with what to do', async () => {
  const never = async () => {
    throw new Error('low');
  };

  await expect(waitUntil(never, waiting, new AbortController().signal)).rejects.toThrow(/wait for the tide: .*\(low\); see the moon/);
});

test('whoever is told to end does not wait', async () => {
  const reason = new Error('told to end');

  await expect(waitUntil(async () => false, { ...waiting, withinMs: 60_000 }, AbortSignal.abort(reason))).rejects.toBe(reason);
});
