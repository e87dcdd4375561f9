import { expect, jest, test } from '@jest/globals';
import { live } from '../../daemon/live.ts';

test('answers what the program answers', async () => {
  const before = process.listenerCount('SIGTERM');

  expect(await live(async () => 7)).toBe(7);
  expect(process.listenerCount('SIGTERM')).toBe(before);
});

test('what the program throws while nobody told it to end is thrown', async () => {
  await expect(live(() => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s aborts the signal, and the exit code is 0 whatever the program says then', async (name) => {
  const ended = live(
    (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve(3));
      }),
  );
  process.emit(name, name);

  expect(await ended).toBe(0);
});

test('what the program throws after that is no failure', async () => {
  const ended = live(
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('told to end')));
      }),
  );
  process.emit('SIGTERM', 'SIGTERM');

  expect(await ended).toBe(0);
});

test('what the program runs may hear the same signal: nobody takes it for unheard', async () => {
  let heard = 0;
  const ended = live(
    (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          heard = process.listenerCount('SIGTERM');
          resolve(0);
        });
      }),
  );
  process.emit('SIGTERM', 'SIGTERM');
  await ended;

  expect(heard).toBeGreaterThan(0);
});

test('a program whose parts do not end is ended within five seconds', () => {
  jest.useFakeTimers();
  const exit = jest.fn();
  void live(() => new Promise(() => {}), exit);

  process.emit('SIGTERM', 'SIGTERM');
  process.emit('SIGTERM', 'SIGTERM');
  jest.advanceTimersByTime(5_000);

  expect(exit.mock.calls).toEqual([[0]]);
  jest.useRealTimers();
});
