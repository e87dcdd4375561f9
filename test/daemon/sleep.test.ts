import { expect, test } from '@jest/globals';
import { sleep } from '../../daemon/sleep.ts';

test('longer than a timer can be', async () => {
  const stop = new AbortController();
  let isOver = false;
  const sleeping = sleep(2 ** 31 + 5, stop.signal).then(() => {
    isOver = true;
  });

  await sleep(20, new AbortController().signal);
  expect(isOver).toBe(false);

  stop.abort();
  await sleeping;
});
