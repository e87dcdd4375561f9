import { OperationError } from '../../daemon/operation-error.ts';

/** @throws OperationError where this process is not root's. */
export function requireRoot(operation: string, why: string): void {
  if (process.getuid?.() === 0) return;
  throw new OperationError(operation, { hint: `${why}; run it as root` });
}
