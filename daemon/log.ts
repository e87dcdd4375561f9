import { createRequire } from 'node:module';
import type { DestinationStream, LogFn } from 'pino';
import { OperationError } from './operation-error.ts';

/** From most to least; consul-template's `err` and `warning` are taken too. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type Logger = Readonly<Record<LogLevel, LogFn>>;

/**
 * A program's log: JSON lines on stderr, so that stdout stays free for what was asked for; with `silent`, nothing.
 * Its package is loaded by the first line: a run that has nothing to say ends sooner.
 */
export function createLog(name: string, level: LogLevel | 'silent', to?: DestinationStream): Logger {
  let made: Logger | undefined;
  const written = LOG_LEVELS.slice(0, (LOG_LEVELS as readonly string[]).indexOf(level) + 1);
  const write = (at: LogLevel) => {
    const line = (...said: Parameters<LogFn>) => {
      made ??= pinoLog(name, level, to);
      made[at](...said);
    };
    return (written.includes(at) ? line : () => {}) as LogFn;
  };
  const [fatal, error, warn] = [write('fatal'), write('error'), write('warn')];
  return { fatal, error, warn, info: write('info'), debug: write('debug'), trace: write('trace') };
}

const load = createRequire(import.meta.url);

function pinoLog(name: string, level: LogLevel | 'silent', to?: DestinationStream): Logger {
  const { pino } = load('pino') as typeof import('pino');
  return pino(
    {
      ...{ level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime },
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: toldError },
    },
    to ?? pino.destination({ dest: 2, sync: true }),
  );
}

/** What was expected says itself what is wrong, and so does what the system refused; for a bug, where it is matters too. */
function toldError(error: unknown): string | { readonly message: string; readonly stack: string | undefined } {
  if (!(error instanceof Error)) return String(error);
  return error instanceof OperationError || 'syscall' in error ? error.message : { message: error.message, stack: error.stack };
}
