import { expect, test } from '@jest/globals';
import { live } from '../../daemon/live.ts';

test('answers what the program answers', async () => {
  expect(await live(async () => 7)).toBe(7);
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
