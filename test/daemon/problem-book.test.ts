import { expect, test } from '@jest/globals';
import type { Logger } from '../../daemon/log.ts';
import { createProblemBook } from '../../daemon/problem-book.ts';

/** A log that keeps messages with the subject they are about. */
function keptLog() {
  const lines: string[] = [];
  const keep = ({ problem }: { problem: { subject: string } }, message: string) => lines.push(`${message}: ${problem.subject}`);
  return { lines, log: { warn: keep, info: keep } as unknown as Logger };
}

const [web, shop] = [
  { subject: 'web', option: 'weight', value: '300', reason: 'too much' },
  { subject: 'shop', reason: 'no name' },
];

test('a problem is kept since it was first seen, and logged when it comes and when it is gone', () => {
  const { lines, log } = keptLog();
  let now = 0;
  const book = createProblemBook(log, () => now);

  book.set('plan', [web]);
  now = 60_000;
  book.set('plan', [shop, { ...web }]);
  expect(book.list()).toEqual([
    { ...shop, since: '1970-01-01T00:01:00.000Z' },
    { ...web, since: '1970-01-01T00:00:00.000Z' },
  ]);
  book.set('plan', [shop]);

  expect(book.list().map(({ subject }) => subject)).toEqual(['shop']);
  expect(lines).toEqual(['problem: web', 'problem: shop', 'problem is over: web']);
});

test('a problem with another value is another one', () => {
  const { lines, log } = keptLog();
  const book = createProblemBook(log);

  book.set('plan', [web]);
  book.set('plan', [{ ...web, value: '301' }]);

  expect(lines).toEqual(['problem: web', 'problem: web', 'problem is over: web']);
});

test('sources do not take each other’s problems away', () => {
  const { log } = keptLog();
  const book = createProblemBook(log);

  book.set('plan', [web]);
  book.set('apply', [shop]);
  book.set('apply', []);

  expect(book.list()).toMatchObject([web]);
});
