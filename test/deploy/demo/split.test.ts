import { expect, test } from '@jest/globals';
import { countDeployments, isFairSplit } from '../../../deploy/demo/split.ts';

test('answers are counted by the deployment they name', () => {
  expect(countDeployments(['python-stable on a: GET /', 'python-canary on b: GET /', 'python-stable on c: GET /'])).toEqual({
    'python-stable': 2,
    'python-canary': 1,
  });
});

test.each([
  [198, 2, true],
  [199, 1, true],
  [200, 0, false],
  [100, 100, false],
  [197, 2, false],
])('weights of 100 and 1 may give %d and %d: %s', (stable, canary, fair) => {
  expect(isFairSplit({ 'python-stable': stable, 'python-canary': canary })).toBe(fair);
});
