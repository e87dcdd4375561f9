import { setTimeout as wait } from 'node:timers/promises';

/** How often a condition is looked at, milliseconds. */
const PERIOD_MS = 20;

/**
 * Waits until `condition` answers something true, and answers that; what it throws counts as not yet.
 * @throws Error that names `what`, and the last answer or error, when the budget is spent.
 */
export async function until<Value>(condition: () => Value | Promise<Value>, budgetMs: number, what: string): Promise<NonNullable<Value>> {
  const end = performance.now() + budgetMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await Promise.race([condition(), tooLate(end)]);
      if (value) return value;
      last = `last answer: ${JSON.stringify(value)}`;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`not within ${budgetMs} ms: ${what} (${last instanceof Error ? last.message : String(last)})`, { cause: last });
    }
    await wait(PERIOD_MS);
  }
}

/** Rejects when the budget is spent, so that a condition that hangs is named too. */
async function tooLate(end: number): Promise<never> {
  await wait(Math.max(0, end - performance.now()), undefined, { ref: false });
  throw new Error('no answer yet');
}
