import { RE2JS, RE2JSSyntaxException } from 're2js';
import { formatted } from './format.ts';
import { TemplateError } from './parse.ts';
import { printed } from './printed.ts';

type TemplateFunction = (...values: readonly unknown[]) => unknown;

/** Go's truth: nothing, zero and what is empty are false. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
}

/**
 * Go's own functions, and those of gliderlabs registrator. Where one takes a list or a map beside plain values it is told by its kind,
 * so either order is taken. `httpGet` is no function of its values, and so it is not here: whoever renders says how it asks.
 */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value),
  eq: (first, ...others) => others.some((other) => first === other),
  ne: (a, b) => a !== b,
  lt: (a, b) => compared(a, b) < 0,
  le: (a, b) => compared(a, b) <= 0,
  gt: (a, b) => compared(a, b) > 0,
  ge: (a, b) => compared(a, b) >= 0,
  len: (value) => (typeof value === 'string' ? Buffer.byteLength(value) : Object.keys(mapOrList([value])).length),
  index: (value, ...keys) => keys.reduce(itemOf, value),
  print: (...values) => values.map(printed).join(''),
  println: (...values) => `${values.map(printed).join(' ')}\n`,
  slice: (value, ...ends) =>
    sliced(
      value,
      ends.map((end) => number([end])),
    ),
  html: (...values) => escapedHtml(values.map(printed).join('')),
  urlquery: (...values) => encodeURIComponent(values.map(printed).join('')).replaceAll('%20', '+'),
  printf: (format, ...values) => formatted(text([format]), values),
  strSlice: (value, start, end) => text([value]).slice(number([start]), end === undefined ? undefined : number([end])),
  sIndex: (...values) => nearest(list(values), number(values)),
  mIndex: (...values) => itemOf(mapOrList(values), text(values)),
  toUpper: (value) => text([value]).toUpperCase(),
  toLower: (value) => text([value]).toLowerCase(),
  replace: (...values) => replaced(values),
  join: (...values) => list(values).map(printed).join(text(values)),
  split: (separator, value) => text([value]).split(text([separator])),
  splitIndex: (...values) => {
    const [separator = '', value = ''] = texts(values);
    return nearest(value.split(separator), number(values));
  },
  matchFirstElement: (...values) => matching(values)[0] ?? '',
  matchAllElements: (...values) => matching(values),
  jsonParse: (json, path) =>
    text([path])
      .split('::')
      .reduce<unknown>((value, key) => itemOf(value, key), parsedJson(text([json]))),
};

function fail(reason: string): never {
  throw new TemplateError(reason);
}

const texts = (values: readonly unknown[]) => values.filter((value) => typeof value === 'string');
const text = (values: readonly unknown[]): string => texts(values)[0] ?? fail(`a text is wanted, not ${values.map(printed).join(' ')}`);
const number = (values: readonly unknown[]): number =>
  values.find((value) => typeof value === 'number') ?? fail(`a number is wanted, not ${values.map(printed).join(' ')}`);
const list = (values: readonly unknown[]): readonly unknown[] =>
  values.find((value) => Array.isArray(value)) ?? fail(`a list is wanted, not ${values.map(printed).join(' ')}`);
const mapOrList = (values: readonly unknown[]): object =>
  values.find((value) => typeof value === 'object' && value !== null) ?? fail(`a map is wanted, not ${values.map(printed).join(' ')}`);

/** A key that a map of text lacks is the empty text, as in Go; an index that a list lacks is an error. */
function itemOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return value[Number(key)] ?? fail(`there is no element ${printed(key)}`);
  if (typeof value !== 'object' || value === null) return fail(`${printed(value)} has no element ${printed(key)}`);
  return Object.hasOwn(value, String(key)) ? Object.entries(value).find(([known]) => known === String(key))?.[1] : '';
}

function compared(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : Number(a > b);
  return fail(`${printed(a)} and ${printed(b)} cannot be compared`);
}

/** `replace OLD NEW TEXT`, with the most times to do it (below zero: all) in front, or after. */
function replaced(values: readonly unknown[]): string {
  const all = texts(values);
  const [old = '', by = '', whole = ''] =
    typeof values[0] === 'string' && values.some((value) => typeof value === 'number') ? [all[1], all[2], all[0]] : all;
  const most = values.find((value) => typeof value === 'number') ?? -1;
  const parts = whole.split(old);
  if (most < 0 || parts.length - 1 <= most) return parts.join(by);
  return [...parts.slice(0, most), parts.slice(most).join(old)].join(by);
}

/** Past the end is the last one, as gliderlabs registrator has it; below zero counts from the end. */
const nearest = (values: readonly unknown[], index: number): unknown => values.at(Math.min(index, values.length - 1)) ?? '';

function sliced(value: unknown, [start = 0, end]: readonly number[]): unknown {
  if (Array.isArray(value)) return value.slice(start, end);
  return Buffer.from(text([value]))
    .subarray(start, end)
    .toString();
}

const HTML: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&#34;', "'": '&#39;' };
const escapedHtml = (plain: string) => plain.replace(/[<>&"']/g, (character) => HTML[character] ?? character);

/** Go's own regular expressions: what a container says cannot make one slow. */
function matching(values: readonly unknown[]): readonly string[] {
  const source = text(values);
  try {
    const pattern = RE2JS.compile(source);
    return list(values)
      .map(printed)
      .filter((item) => pattern.matcher(item).find());
  } catch (cause) {
    if (!(cause instanceof RE2JSSyntaxException)) throw cause;
    throw new TemplateError(`${JSON.stringify(source)} is no regular expression: ${cause.message}`, { cause });
  }
}

function parsedJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new TemplateError('jsonParse: the text is not JSON', { cause });
  }
}
