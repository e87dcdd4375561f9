import { goNumber } from './go-number.ts';

/** Readers of what a template hands to a function or filter. Pure. */

/** The text of a value; nothing at all is the empty text, as it is printed. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return goNumber(value);
  return value === undefined || value === null ? '' : String(value);
}

/** A list, or nothing at all, which is an empty one. @throws TypeError that names the filter. */
export function asList(value: unknown, filter: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new TypeError(`${filter}: needs a list, got ${shown(value)}`);
}

/** The most characters of a text that something is done to: far beyond Consul's 512 KiB, and short of what V8 cannot do in one step. */
const MOST_CHARACTERS = 16_000_000;

/** @throws RangeError that names the filter or method, for a text that is too long for it. */
export function refuseHugeText(value: unknown, filter: string): void {
  if ((typeof value === 'string' || value instanceof String) && value.length > MOST_CHARACTERS)
    throw new RangeError(`${filter}: a text of ${value.length} characters is more than ${MOST_CHARACTERS}`);
}

export type ValueMap = Readonly<Record<string, unknown>>;

/** Whether it is a map, as written in a template, parsed from JSON or answered by a function. */
export function isMap(value: unknown): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof String) && !(value instanceof Map);
}

/** A map, or nothing at all, which is an empty one. @throws TypeError that names the filter. */
export function asMap(value: unknown, filter: string): ValueMap {
  if (value === undefined || value === null) return {};
  if (isMap(value)) return value;
  throw new TypeError(`${filter}: needs a map, got ${shown(value)}`);
}

/** A number, or a text that is one. @throws TypeError that names the filter. */
export function asNumber(value: unknown, filter: string): number {
  const number = typeof value === 'number' ? value : asText(value).trim() === '' ? Number.NaN : Number(asText(value));
  if (Number.isNaN(number)) throw new TypeError(`${filter}: needs a number, got ${shown(value)}`);
  return number;
}

/** A value as an error message shows it: short, and without line ends. */
export function shown(value: unknown): string {
  const text = typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value));
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** A filter: the piped value comes first, the other arguments keep consul-template's order. */
export type Filter = (value: unknown, ...args: readonly unknown[]) => unknown;
