import { OperationError } from './operation-error.ts';

/** From most to least; consul-template's `err` and `warning` are taken too. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A program's log: an event each, its data in fields. An error goes in a field `err`. */
export type Logger = Readonly<Record<LogLevel, (fields: object, message: string) => void>>;

/** JSON lines on stderr, so that stdout stays free for what was asked for; with `silent`, nothing. */
export function createLog(name: string, level: LogLevel | 'silent', write: (line: string) => void = writeToStderr): Logger {
  const most = level === 'silent' ? -1 : LOG_LEVELS.indexOf(level);
  const writer = (own: LogLevel, at: number) => {
    if (at > most) return () => {};
    return (fields: object, message: string) => write(logLine(own, new Date(), name, fields, message));
  };
  const entries = LOG_LEVELS.map((own, at) => [own, writer(own, at)] as const);
  return Object.fromEntries(entries) as Record<LogLevel, (fields: object, message: string) => void>;
}

/** Pure. */
export function logLine(level: LogLevel, time: Date, name: string, fields: object, msg: string): string {
  const told = Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [field, value instanceof Error ? toldError(value) : value]),
  );
  return `${JSON.stringify({ level, time: time.toISOString(), name, ...told, msg })}\n`;
}

/** What was expected says itself what is wrong; for a bug, where it is matters too. */
function toldError(error: Error): string | { readonly message: string; readonly stack: string | undefined } {
  return error instanceof OperationError ? error.message : { message: error.message, stack: error.stack };
}

let isWatched = false;

/** Whoever read it may be gone; that ends no program. */
function writeToStderr(line: string): void {
  if (!isWatched) process.stderr.on('error', () => {});
  isWatched = true;
  process.stderr.write(line);
}
