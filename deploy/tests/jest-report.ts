import * as v from 'valibot';

/** How many passed and failed, and whether anything ran at all. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

const jestReport = v.object({
  numPassedTests: v.number(),
  numFailedTests: v.number(),
  numRuntimeErrorTestSuites: v.number(),
});

/** Reads what `jest --json` wrote. A file that could not even be loaded counts as one failure. Pure. */
export function tallyOf(report: unknown): Tally {
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = v.parse(jestReport, report);
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
}

/** Several tallies as one. Nothing passed and nothing failed means that nothing ran: that is a failure. Pure. */
export function total(tallies: readonly Tally[]): Tally {
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0);
  return passed + failed === 0 ? { passed: 0, failed: 1 } : { passed, failed };
}
