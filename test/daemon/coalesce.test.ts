import { expect, test } from '@jest/globals';
import { coalesce } from '../../daemon/coalesce.ts';

/** A round that takes until it is let go, and the batches that rounds were given. */
function heldRounds() {
  const batches: (readonly string[])[] = [];
  let release = () => {};
  const rounds = coalesce<string>(async (why) => {
    batches.push(why);
    await new Promise<void>((resolve) => (release = resolve));
  });
  return { batches, rounds, release: () => release() };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('the first one starts a round at once; those that come while it runs are merged into the next, in order', async () => {
  const stop = new AbortController();
  const { batches, rounds, release } = heldRounds();
  const ended = rounds.run(stop.signal);

  rounds.tell('a');
  await turn();
  expect(batches).toEqual([['a']]);
  for (const why of ['b', 'c', 'd']) rounds.tell(why);
  await turn();
  expect(batches).toEqual([['a']]);
  release();
  await turn();

  expect(batches).toEqual([['a'], ['b', 'c', 'd']]);
  stop.abort();
  release();
  await ended;
});

test('what was told before it runs is not forgotten', async () => {
  const stop = new AbortController();
  const { batches, rounds, release } = heldRounds();

  rounds.tell('early');
  const ended = rounds.run(stop.signal);
  await turn();

  expect(batches).toEqual([['early']]);
  stop.abort();
  release();
  await ended;
});

test('no round begins after the signal, and the loop ends', async () => {
  const stop = new AbortController();
  const { batches, rounds } = heldRounds();
  const ended = rounds.run(stop.signal);

  stop.abort();
  rounds.tell('late');
  await ended;

  expect(batches).toEqual([]);
});

test('what a round throws ends the loop', async () => {
  const rounds = coalesce<string>(() => Promise.reject(new Error('a bug')));
  rounds.tell('a');

  await expect(rounds.run(new AbortController().signal)).rejects.toThrow('a bug');
});
