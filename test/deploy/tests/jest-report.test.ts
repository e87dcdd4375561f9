import { expect, test } from '@jest/globals';
import { tallyOf, total } from '../../../deploy/tests/jest-report.ts';

test('a file that could not be loaded counts as a failure', () => {
  const report = { numPassedTests: 3, numFailedTests: 1, numRuntimeErrorTestSuites: 2, numTotalTests: 4 };

  expect(tallyOf(report)).toEqual({ passed: 3, failed: 3 });
});

test('a report of another form is no report', () => {
  expect(() => tallyOf({ tests: 3 })).toThrow('numPassedTests');
});

test('tallies add up, and nothing at all is a failure', () => {
  expect(
    total([
      { passed: 2, failed: 0 },
      { passed: 1, failed: 1 },
    ]),
  ).toEqual({ passed: 3, failed: 1 });
  expect(total([{ passed: 0, failed: 0 }])).toEqual({ passed: 0, failed: 1 });
  expect(total([])).toEqual({ passed: 0, failed: 1 });
});
