import { LOG_LEVELS, type LogLevel } from './log.ts';
import { schema, WrongValue } from './schema.ts';

/** What a single setting may be, with messages that say what would be right. Undefined stands for one that was not given. */

/** A switch: given alone, or as `=true`, `=false`, `=1`, `=0`. */
export const flag = () =>
  schema((given): boolean => {
    if (given === undefined || typeof given === 'boolean') return given ?? false;
    if (/^(1|t|true|yes|on)$/i.test(String(given))) return true;
    if (/^(0|f|false|no|off)$/i.test(String(given))) return false;
    throw new WrongValue('must be true or false');
  });

/** A whole number of a range. */
export const wholeNumber = (least: number, most: number, fallback: number) =>
  schema((given): number => {
    if (given === undefined) return fallback;
    const number = Number(given);
    if (/^[+-]?\d+$/.test(String(given)) && number >= least && number <= most) return number;
    throw new WrongValue(`must be a whole number from ${least} to ${most}`);
  });

/** One of a few words. */
export const oneOf = <const Words extends readonly string[]>(words: Words, fallback: Words[number]) =>
  schema((given): Words[number] => {
    const found = given === undefined ? fallback : words.find((word) => word === given);
    if (found !== undefined) return found;
    throw new WrongValue(`must be one of ${words.join(', ')}`);
  });

/** Any text. */
export const text = (fallback = '') => schema((given): string => (given === undefined ? fallback : String(given)));

/** Texts, given any number of times. */
export const texts = () => schema((given): readonly string[] => (Array.isArray(given) ? given.map(String) : []));

const UNITS_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A Go duration (`1.5s`, `2m30s`, `0`) in milliseconds; undefined for anything else. */
export function durationMs(value: string): number | undefined {
  if (value === '0') return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value)) return undefined;
  return [...value.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (UNITS_MS[unit] ?? 0),
    0,
  );
}

/** A Go duration, as milliseconds. */
export const duration = (fallback: string) =>
  schema((given): number => {
    const ms = durationMs(given === undefined ? fallback : String(given));
    if (ms !== undefined) return ms;
    throw new WrongValue('must be a duration such as 500ms, 10s or 2m30s');
  }, fallback);

/** `ADDR:PORT`, `[ADDR]:PORT` or `:PORT`. */
export const addressAndPort = (fallback: string) =>
  schema((given): { readonly address: string; readonly port: number } => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(given === undefined ? fallback : String(given));
    const port = Number(match?.[3]);
    if (match !== null && port <= 65_535) return { address: match[1] ?? match[2] ?? '', port };
    throw new WrongValue('must be ADDRESS:PORT');
  }, fallback);

/** consul-template's words for levels. */
const LEVEL_NAMES: Readonly<Record<string, LogLevel>> = { err: 'error', warning: 'warn' };

/** The level of a program's log. */
export const level = () =>
  schema((given): LogLevel => {
    const word = given === undefined ? 'info' : String(given);
    const found = LOG_LEVELS.find((known) => known === (LEVEL_NAMES[word] ?? word));
    if (found !== undefined) return found;
    throw new WrongValue(`must be one of ${LOG_LEVELS.join(', ')}`);
  });
