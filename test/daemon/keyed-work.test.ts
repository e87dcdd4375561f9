import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { keyedWork } from '../../daemon/keyed-work.ts';
import { until } from '../harness/until.ts';

const never = new AbortController().signal;

test('one key is never worked on twice at once, and once more after it was told', async () => {
  let active = 0;
  let most = 0;
  let rounds = 0;
  const work = keyedWork<string>(
    {
      width: 8,
      waitMs: () => 1,
      work: async () => {
        most = Math.max(most, ++active);
        await wait(5);
        active -= 1;
        rounds += 1;
        return 'done';
      },
    },
    never,
  );

  for (let i = 0; i < 10; i += 1) work.tell('a');
  await until(() => work.size() === 0, 1_000, 'all is done');

  expect(most).toBe(1);
  expect(rounds).toBe(2);
});

test('different keys go side by side, no more than the width', async () => {
  let active = 0;
  let most = 0;
  const work = keyedWork<number>(
    {
      width: 3,
      waitMs: () => 1,
      work: async () => {
        most = Math.max(most, ++active);
        await wait(5);
        active -= 1;
        return 'done';
      },
    },
    never,
  );

  for (let key = 0; key < 10; key += 1) work.tell(key);
  await until(() => work.size() === 0, 1_000, 'all is done');

  expect(most).toBe(3);
});

test('what fails is tried again, after the wait for its failures in a row', async () => {
  const waits: number[] = [];
  let rounds = 0;
  const work = keyedWork<string>(
    {
      width: 1,
      waitMs: (failures) => {
        waits.push(failures);
        return 1;
      },
      work: async () => (++rounds < 4 ? 'again' : 'done'),
    },
    never,
  );

  work.tell('a');
  await until(() => work.size() === 0, 1_000, 'it has succeeded');

  expect(waits).toEqual([1, 2, 3]);
});

test('being told ends the wait for a retry', async () => {
  let rounds = 0;
  const work = keyedWork<string>({ width: 1, waitMs: () => 3_600_000, work: async () => (++rounds < 2 ? 'again' : 'done') }, never);
  work.tell('a');
  await until(() => rounds === 1, 1_000, 'it has failed once');

  work.tell('a');

  await until(() => work.size() === 0, 1_000, 'it is done');
  expect(rounds).toBe(2);
});

test('nothing begins after the signal', async () => {
  const stop = new AbortController();
  let rounds = 0;
  const work = keyedWork<string>(
    {
      width: 1,
      waitMs: () => 1,
      work: async () => {
        rounds += 1;
        return 'again';
      },
    },
    stop.signal,
  );
  work.tell('a');
  await until(() => rounds > 0, 1_000, 'it runs');

  stop.abort();
  const then = rounds;
  await wait(20);

  expect(rounds).toBeLessThanOrEqual(then + 1);
});
