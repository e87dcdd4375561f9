import { goNumber } from './filters/go-number.ts';
import { inKeyOrder } from './filters/sorted-value.ts';
import { isMap, refuseHugeText } from './filters/values.ts';
import { memoryStep } from './memory-limit.ts';

/** What templates may call on a text, a list and a regular expression; nothing that calls back, and nothing inherited else. */
const TEXT_METHODS =
  'at charAt concat endsWith includes indexOf lastIndexOf match padEnd padStart replace search slice split startsWith substr substring toLowerCase toString toUpperCase trim trimEnd trimStart';
const LIST_METHODS = 'at concat includes indexOf join lastIndexOf pop push reverse shift slice splice unshift';
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
  if (typeof member !== 'function') return member;
  return (...args: unknown[]) => {
    refuseHuge(key, value, args);
    return member.apply(value, args);
  };
}

/** The most elements of a list that a method may make. */
const MOST_ELEMENTS = 10_000_000;
/** The most characters that a text may be padded to. */
const MOST_PADDED = 1_000_000;

/** One step of V8 that needs too much memory ends the whole program. @throws RangeError, MemoryLimitError */
function refuseHuge(method: string, value: NonNullable<unknown>, args: readonly unknown[]): void {
  memoryStep();
  refuseHugeText(value, method);
  if (method.startsWith('pad') && !(Number(args[0]) <= MOST_PADDED))
    throw new RangeError(`${method}: ${String(args[0])} characters are more than ${MOST_PADDED}`);
  if (!Array.isArray(value)) return;
  const elements = args.reduce((sum: number, arg) => sum + (Array.isArray(arg) ? arg.length : 1), value.length);
  memoryStep(elements / 1000);
  if (elements > MOST_ELEMENTS) throw new RangeError(`${method}: ${elements} elements are more than ${MOST_ELEMENTS}`);
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
  inOperator: (key: unknown, where: unknown) => boolean;
  readonly Frame: { readonly prototype: { set: (name: string, value: unknown, resolveUp?: boolean) => void } };
}

/**
 * Makes Nunjucks look values up by {@link memberOf}, walk maps in the byte order of their keys, print numbers as Go does, and notice when the
 * variables that are set need too much memory.
 */
export function closeRuntime(runtime: TemplateRuntime): void {
  const { contextOrFrameLookup, fromIterator, suppressValue, inOperator, Frame } = runtime;
  const { set } = Frame.prototype;
  Frame.prototype.set = function (name, value, resolveUp) {
    memoryStep();
    set.call(this, name, value, resolveUp);
  };
  runtime.inOperator = (key, where) => (isMap(where) ? Object.hasOwn(where, String(key)) : inOperator(key, where));
  runtime.suppressValue = (value, autoescape) => suppressValue(typeof value === 'number' ? goNumber(value) : value, autoescape);
  runtime.memberLookup = memberOf;
  runtime.contextOrFrameLookup = (context, frame, name) =>
    name in Object.prototype ? frame.lookup(name) : contextOrFrameLookup(context, frame, name);
  runtime.fromIterator = (value) => (isMap(value) && !(Symbol.iterator in value) ? inKeyOrder(Object.entries(value)) : fromIterator(value));
}

type Call = (this: unknown, value: unknown, ...args: readonly unknown[]) => unknown;

/** Nunjucks' filters and tests, by name. */
export interface TemplateEnvironment {
  filters: Readonly<Record<string, Call>>;
  tests: Readonly<Record<string, Call>>;
}

/** Takes away what filters and tests inherit, such as `__lookupGetter__`, which lead out of the template; a text that is too long stops at each. */
export function closeEnvironment(environment: TemplateEnvironment): void {
  environment.tests = withoutInherited(environment.tests, (test) => test);
  environment.filters = withoutInherited(
    environment.filters,
    (filter, name) =>
      function (value, ...args) {
        refuseHugeText(value, name);
        return filter.call(this, value, ...args);
      },
  );
}

function withoutInherited(
  calls: Readonly<Record<string, Call>>,
  change: (call: Call, name: string) => Call,
): Readonly<Record<string, Call>> {
  const own: Record<string, Call> = Object.create(null);
  for (const [name, call] of Object.entries(calls)) own[name] = change(call, name);
  return own;
}
