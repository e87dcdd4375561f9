import { createContext, Script } from 'node:vm';

/** Ran longer than it may. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';
}

const box: { run?: () => void } = {};
const context = createContext(box);
const script = new Script('run()');

/**
 * Runs something synchronous that is stopped when it takes too long, an endless loop and a regular expression that runs away too.
 * @throws TimeLimitError then, and whatever `run` throws.
 */
export function withinTime<Result>(ms: number, run: () => Result): Result {
  let result: { readonly value: Result } | undefined;
  const before = box.run;
  box.run = () => {
    result = { value: run() };
  };
  try {
    script.runInContext(context, { timeout: ms });
  } catch (cause) {
    if (!isTimeout(cause)) throw cause;
    throw new TimeLimitError(`took longer than ${ms} ms`, { cause });
  } finally {
    if (before === undefined) delete box.run;
    else box.run = before;
  }
  if (result === undefined) throw new Error('nothing was run');
  return result.value;
}

function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
