import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { sleep } from '../../daemon/sleep.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const isOver = async (sleeping: Promise<void>, afterMs: number) => {
  let over = false;
  void sleeping.then(() => (over = true));
  await jest.advanceTimersByTimeAsync(afterMs);
  return over;
};

test('waits as long as it is told', async () => {
  expect(await isOver(sleep(100, new AbortController().signal), 99)).toBe(false);
  expect(await isOver(sleep(100, new AbortController().signal), 100)).toBe(true);
});

test('ends when the signal aborts, and does not begin when it has', async () => {
  const stop = new AbortController();
  const sleeping = sleep(100, stop.signal);

  stop.abort();

  expect(await isOver(sleeping, 0)).toBe(true);
  expect(await isOver(sleep(100, stop.signal), 0)).toBe(true);
  expect(jest.getTimerCount()).toBe(0);
});

test.each([2 ** 31, 2 ** 33 + 5])('more than a timer can wait is as long as it says: %s ms', async (ms) => {
  const sleeping = sleep(ms, new AbortController().signal);

  expect(await isOver(sleeping, ms - 1)).toBe(false);
  expect(await isOver(sleeping, 1)).toBe(true);
});

test('a wait for ever ends when the signal aborts', async () => {
  const stop = new AbortController();
  const sleeping = sleep(Number.POSITIVE_INFINITY, stop.signal);
  expect(await isOver(sleeping, 2 ** 33)).toBe(false);

  stop.abort();

  expect(await isOver(sleeping, 0)).toBe(true);
});
