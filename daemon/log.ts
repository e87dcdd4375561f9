import { type DestinationStream, type Logger, pino } from 'pino';
import { OperationError } from './operation-error.ts';

export type { Logger } from 'pino';

/** From most to least; consul-template's `err` and `warning` are taken too. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A program's log: JSON lines on stderr, so that stdout stays free for what was asked for; with `silent`, nothing. */
export function createLog(
  name: string,
  level: LogLevel | 'silent',
  to: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  return pino(
    {
      ...{ level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime },
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: toldError },
    },
    to,
  );
}

/** What was expected says itself what is wrong, and so does what the system refused; for a bug, where it is matters too. */
function toldError(error: unknown): string | { readonly message: string; readonly stack: string | undefined } {
  if (!(error instanceof Error)) return String(error);
  return error instanceof OperationError || 'syscall' in error ? error.message : { message: error.message, stack: error.stack };
}
