/** Whether something thrown is the system's error of this code, such as `ENOENT`. Told by its shape: tests run in a realm of their own. */
export function isSystemError(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

/** The code of the system's error, such as `ENOENT`; of anything else its text. */
export function systemErrorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}
