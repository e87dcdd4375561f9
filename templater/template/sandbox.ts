import { goNumber } from './filters/go-number.ts';
import { inKeyOrder } from './filters/sorted-value.ts';
import { isMap } from './filters/values.ts';

/** What templates may call on a text, a list and a regular expression; nothing that calls back, and nothing inherited else. */
const TEXT_METHODS =
  'at charAt concat endsWith includes indexOf lastIndexOf match padEnd padStart replace search slice split startsWith substr substring toLowerCase toString toUpperCase trim trimEnd trimStart';
const LIST_METHODS = 'at concat flat includes indexOf join lastIndexOf pop push reverse shift slice splice unshift';
const METHODS = {
  text: new Set(TEXT_METHODS.split(' ')),
  list: new Set(LIST_METHODS.split(' ')),
  number: new Set(['toFixed', 'toPrecision', 'toString']),
  regex: new Set(['test', 'exec']),
} as const;

/**
 * What `value.name` is in a template: own fields, entries of a map, and the methods above. A function has no fields, so that none of
 * `constructor`, `prototype`, `call` leads out of the template. Pure.
 */
function memberOf(value: unknown, name: unknown): unknown {
  if (value === undefined || value === null || typeof value === 'function') return undefined;
  if (value instanceof Map) return value.get(name) ?? value.get(Number(name)) ?? value.get(String(name));
  const key = typeof name === 'symbol' ? undefined : String(name);
  if (key === undefined || !mayRead(value, key)) return undefined;
  const member: unknown = (value as Record<string, unknown>)[key];
  return typeof member === 'function' ? (...args: unknown[]) => member.apply(value, args) : member;
}

function mayRead(value: NonNullable<unknown>, key: string): boolean {
  if (typeof value === 'string' || value instanceof String) return key === 'length' || /^\d+$/.test(key) || METHODS.text.has(key);
  if (typeof value === 'number') return METHODS.number.has(key);
  if (value instanceof RegExp) return METHODS.regex.has(key);
  if (typeof value !== 'object') return false;
  return Object.hasOwn(value, key) || (Array.isArray(value) && METHODS.list.has(key));
}

/** The parts of Nunjucks' runtime that compiled templates look values up with. */
export interface TemplateRuntime {
  memberLookup: (value: unknown, name: unknown) => unknown;
  contextOrFrameLookup: (
    context: { lookup: (name: string) => unknown },
    frame: { lookup: (name: string) => unknown },
    name: string,
  ) => unknown;
  fromIterator: (value: unknown) => unknown;
  suppressValue: (value: unknown, autoescape: boolean) => unknown;
}

/** Makes Nunjucks look values up by {@link memberOf}, walk maps in the byte order of their keys, and print numbers as Go does. */
export function closeRuntime(runtime: TemplateRuntime): void {
  const { contextOrFrameLookup, fromIterator, suppressValue } = runtime;
  runtime.suppressValue = (value, autoescape) => suppressValue(typeof value === 'number' ? goNumber(value) : value, autoescape);
  runtime.memberLookup = memberOf;
  runtime.contextOrFrameLookup = (context, frame, name) =>
    name in Object.prototype ? frame.lookup(name) : contextOrFrameLookup(context, frame, name);
  runtime.fromIterator = (value) => (isMap(value) && !(Symbol.iterator in value) ? inKeyOrder(Object.entries(value)) : fromIterator(value));
}
