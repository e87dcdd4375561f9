import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { innerSignal } from '../../daemon/inner-signal.ts';

const listeners = ({ signal }: AbortController) => getEventListeners(signal, 'abort').length;

test('it aborts with the outer one, for the same reason, and lets go of it', () => {
  const outer = new AbortController();
  const inner = innerSignal(outer.signal);
  expect(listeners(outer)).toBe(1);

  outer.abort('because');

  expect(inner.signal).toMatchObject({ aborted: true, reason: 'because' });
  expect(listeners(outer)).toBe(0);
});

test('it ends by itself, and the outer one goes on', () => {
  const outer = new AbortController();
  const inner = innerSignal(outer.signal);

  inner.end();

  expect(inner.signal.aborted).toBe(true);
  expect(outer.signal.aborted).toBe(false);
  expect(listeners(outer)).toBe(0);
});

test('it ends when the time is over', async () => {
  const inner = innerSignal(new AbortController().signal, 1);

  await new Promise((resolve) => inner.signal.addEventListener('abort', resolve));

  expect(inner.signal.reason).toMatchObject({ name: 'TimeoutError' });
});

test('one that is disposed of holds on to nothing, and is not aborted', () => {
  const outer = new AbortController();
  let signal: AbortSignal;
  {
    using inner = innerSignal(outer.signal, 60_000);
    signal = inner.signal;
  }

  expect(listeners(outer)).toBe(0);
  expect(signal.aborted).toBe(false);
});

test('an outer one that has aborted aborts it at once', () => {
  expect(innerSignal(AbortSignal.abort('before')).signal).toMatchObject({ aborted: true, reason: 'before' });
});
