import { expect, test } from '@jest/globals';
import { isServiceId } from '../../registrator/identity.ts';

test.each([
  ['h:web1:80', true],
  ['a/b', true],
  ['a b', true],
  ['ä?b#c', true],
  ['%2e', true],
  ['...', true],
  ['', false],
  ['.', false],
  ['..', false],
  ['http://x', false],
  ['/a', false],
  ['a//', false],
  ['a/../b', false],
  ['a\nb', false],
  ['a\u0000', false],
])('%j is an ID that can be taken back: %j', (id, is) => {
  expect(isServiceId(id)).toBe(is);
});
