import { getEventListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { withDeadline } from '../../daemon/deadline.ts';

test('answers what the work answers, and holds on to nothing', async () => {
  const outer = new AbortController();

  await expect(withDeadline(1_000, outer.signal, async () => 'done')).resolves.toBe('done');

  expect(getEventListeners(outer.signal, 'abort')).toEqual([]);
});

test('rejects when the time is over, though the work does not end', async () => {
  let within: AbortSignal | undefined;
  const work = (signal: AbortSignal) => {
    within = signal;
    return new Promise<never>(() => {});
  };

  await expect(withDeadline(10, new AbortController().signal, work)).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(within?.aborted).toBe(true);
});

test('rejects with the reason of the outer signal, before and during the work', async () => {
  const outer = new AbortController();
  const during = withDeadline(1_000, outer.signal, (signal) => wait(1_000, undefined, { signal }));

  outer.abort(new Error('told to end'));

  await expect(during).rejects.toThrow('told to end');
  await expect(withDeadline(1_000, outer.signal, async () => 'too late')).rejects.toThrow('told to end');
});

test('what the work throws is thrown', async () => {
  const work = () => Promise.reject(new Error('no'));

  await expect(withDeadline(1_000, new AbortController().signal, work)).rejects.toThrow('no');
});
