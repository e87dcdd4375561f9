import { expect, test } from '@jest/globals';
import { calm } from '../../consul/calm.ts';
import { createDoorbell } from '../../daemon/doorbell.ts';

const HOUR_MS = 3_600_000;

/** Whether each ring is known, in turn. */
function known(...answers: readonly boolean[]) {
  const rest = [...answers];
  return { isKnown: async () => rest.shift() ?? true, left: () => rest.length };
}

test('what is not known ends it at once', async () => {
  const { isKnown, left } = known(false, true);
  await calm(createDoorbell(), isKnown, HOUR_MS, new AbortController().signal);
  expect(left()).toBe(1);
});

test('a later ring for something that is not known ends it at once', async () => {
  const bell = createDoorbell();
  const { isKnown } = known(true, true, false);
  const over = calm(bell, isKnown, HOUR_MS, new AbortController().signal);
  bell.ring();
  await new Promise(setImmediate);
  bell.ring();
  await expect(over).resolves.toBeUndefined();
});

test('its time ends it, and so does the signal', async () => {
  await calm(createDoorbell(), known().isKnown, 1, new AbortController().signal);
  const end = new AbortController();
  const over = calm(createDoorbell(), known().isKnown, HOUR_MS, end.signal);
  end.abort();
  await expect(over).resolves.toBeUndefined();
});
