import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** From most to least; consul-template's `err` and `warning` are taken too. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A program's log: JSON lines on stderr, so that stdout stays free for what was asked for. */
export function createLog(name: string, level: LogLevel): Logger {
  return pino(
    { name, level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    pino.destination({ dest: 2, sync: true }),
  );
}
