import { expect, test } from '@jest/globals';
import { createDoorbell } from '../../daemon/doorbell.ts';

const never = new AbortController().signal;

test('remembers that it rang before anybody listened, once', async () => {
  const bell = createDoorbell();
  bell.ring();
  bell.ring();

  await bell.rung(never);

  const second = new AbortController();
  const heard = bell.rung(second.signal).then(() => 'resolved');
  expect(await Promise.race([heard, Promise.resolve('waiting')])).toBe('waiting');
  second.abort();
  expect(await heard).toBe('resolved');
});

test('wakes who waits', async () => {
  const bell = createDoorbell();
  const waiting = bell.rung(never);

  bell.ring();

  await waiting;
});

test('does not wait when the signal has aborted', async () => {
  await createDoorbell().rung(AbortSignal.abort());
});
