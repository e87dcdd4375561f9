import { expect, test } from '@jest/globals';
import { shortened } from '../../../templater/haproxy/shortened.ts';

test.each<[texts: readonly string[], told: readonly string[]]>([
  [[], []],
  [
    ['a', 'b', 'a'],
    ['a', 'b'],
  ],
  [
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ],
  [
    ['a', 'b', 'a', 'c', 'd', 'e'],
    ['a', 'b', 'c', 'and 2 more'],
  ],
])('of %j at most three are told', (texts, told) => {
  expect(shortened(texts, 3)).toEqual(told);
});
