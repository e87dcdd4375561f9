/**
 * An expected failure of the world outside: a socket that is gone, a program that says no.
 * Thrown where the I/O happens, logged where a loop decides. Whatever else is thrown is a bug.
 */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  /** What was tried on, such as a path or a URL. Never a secret. */
  readonly subject: string | undefined;
  /** What the other side said, or what to do. */
  readonly hint: string | undefined;

  constructor(operation: string, { subject, hint, cause }: { subject?: string; hint?: string; cause?: unknown } = {}) {
    const why = hint ?? (cause instanceof Error ? cause.message : undefined);
    super(
      [operation, subject, why].filter((part) => part !== undefined && part !== '').join(': '),
      cause === undefined ? undefined : { cause },
    );
    this.subject = subject;
    this.hint = hint;
  }
}
