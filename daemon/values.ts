import * as v from 'valibot';
import { LOG_LEVELS, type LogLevel } from './log.ts';

/** What a single setting may be, with messages that say what would be right. Each takes undefined for one that was not given. */

/** A value made by `read`; undefined stands for one that is not what `message` asks for. */
export const readAs = <From, To>(read: (from: From) => To | undefined, message: string) =>
  v.rawTransform<From, To>(({ dataset, addIssue, NEVER }) => {
    const value = read(dataset.value);
    if (value !== undefined) return value;
    addIssue({ message });
    return NEVER;
  });

/** Any text. */
export const text = (fallback = '') => v.optional(v.string(), fallback);

/** Texts, given any number of times. */
export const texts = () => v.optional(v.array(v.string()), []);

/** A switch: given alone, or as `=true`, `=false`, `=1`, `=0`. */
export const flag = () => v.pipe(v.optional(v.union([v.boolean(), v.string()]), false), readAs(switched, 'must be true or false'));

function switched(given: boolean | string): boolean | undefined {
  if (/^(1|t|true|yes|on)$/i.test(String(given))) return true;
  return /^(0|f|false|no|off)$/i.test(String(given)) ? false : undefined;
}

/** A whole number of a range. */
export const wholeNumber = (least: number, most: number, fallback: number) =>
  v.pipe(
    text(String(fallback)),
    readAs((given: string) => {
      const number = Number(given);
      return /^[+-]?\d+$/.test(given) && number >= least && number <= most ? number : undefined;
    }, `must be a whole number from ${least} to ${most}`),
  );

/** One of a few words. */
export const oneOf = <const Words extends readonly string[]>(words: Words, fallback: Words[number]) =>
  v.optional(v.picklist(words, `must be one of ${words.join(', ')}`), fallback);

const UNITS_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A Go duration (`1.5s`, `2m30s`, `0`) in milliseconds; undefined for anything else. */
export function durationMs(value: string): number | undefined {
  if (value === '0') return 0;
  if (!/^\+?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(value)) return undefined;
  return [...value.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (UNITS_MS[unit] ?? 0),
    0,
  );
}

/** A Go duration, as milliseconds. */
export const duration = (fallback: string) => v.pipe(text(fallback), readAs(durationMs, 'must be a duration such as 500ms, 10s or 2m30s'));

/** `ADDR:PORT`, `[ADDR]:PORT` or `:PORT`. */
export const addressAndPort = (fallback: string) => v.pipe(text(fallback), readAs(splitAddress, 'must be ADDRESS:PORT'));

function splitAddress(given: string): { readonly address: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(given);
  const port = Number(match?.[3]);
  return match !== null && port <= 65_535 ? { address: match[1] ?? match[2] ?? '', port } : undefined;
}

/** consul-template's words for levels. */
const LEVEL_NAMES: Readonly<Record<string, LogLevel>> = { err: 'error', warning: 'warn' };

/** The level of a program's log. */
export const level = () =>
  v.pipe(
    text('info'),
    readAs((word: string) => LOG_LEVELS.find((known) => known === (LEVEL_NAMES[word] ?? word)), `must be one of ${LOG_LEVELS.join(', ')}`),
  );
