import { getHeapStatistics } from 'node:v8';

/** Needs more memory than it may. */
export class MemoryLimitError extends Error {
  override readonly name = 'MemoryLimitError';
}

/** What a rendering may add to what is there, bytes; less where the whole program may not have that much. */
const MOST_ADDED = 512 * 1024 * 1024;
/** How often it is looked at, steps; a look takes a microsecond. */
const LOOK_EVERY = 500;

let most = Number.POSITIVE_INFINITY;
let steps = 0;
let exceeded: MemoryLimitError | undefined;

/** Runs something synchronous whose steps may not fill the memory, which would end the whole program. @throws MemoryLimitError then. */
export function withinMemory<Result>(run: () => Result): Result {
  const before = most;
  exceeded = undefined;
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  most = Math.min(before, used + Math.min(MOST_ADDED, (limit - used) / 2));
  try {
    return run();
  } catch (error) {
    // Nunjucks makes another error of it.
    throw exceeded ?? error;
  } finally {
    most = before;
  }
}

/** To be told at each step that may need memory; `weight` counts as so many. @throws MemoryLimitError when there is too little left. */
export function memoryStep(weight = 1): void {
  steps += weight;
  if (steps < LOOK_EVERY) return;
  steps = 0;
  if (getHeapStatistics().used_heap_size <= most) return;
  exceeded = new MemoryLimitError('needs too much memory: it holds too many values, or too large ones');
  throw exceeded;
}
