import { posix } from 'node:path';
import { isMap, shown } from './filters/values.ts';

/** What consul-template's query strings and our objects say, in one shape. Empty texts where nothing was said. */
export interface ServiceQuestion {
  readonly name: string;
  readonly tag: string;
  readonly dc: string;
  readonly near: string;
  readonly statuses: readonly Status[];
  /** `ns`, `partition`, `peer`, `sameness-group`, as Consul takes them. */
  readonly params: Readonly<Record<string, string>>;
}

const STATUSES = ['any', 'passing', 'warning', 'critical', 'maintenance'] as const;
export type Status = (typeof STATUSES)[number];

const SERVICE =
  /^(?:(?<tag>[\w=:.-]+)\.)?(?<name>[\w-]+)(?:\?(?<query>[\w\-=&]+))?(?:@(?<dc>[\w.-]+))?(?:~(?<near>[\w.-]+))?(?:\|(?<filter>[\w,]+))?$/;
const SERVICE_PARAMS = ['ns', 'peer', 'partition', 'sameness-group'];

/**
 * `service("tag.name?query@dc~near|status,status")`, the same in several texts that are joined by `|`, or a name as it is (dots and all) and
 * `{tag, dc, near, status, ns, peer, partition}`. Pure. @throws SyntaxError that shows what is wrong.
 */
export function serviceQuestion(call: string, args: readonly unknown[]): ServiceQuestion {
  const [first, options] = args;
  if (typeof first !== 'string' || first === '') throw new SyntaxError(`${call}: needs the name of a service, got ${shown(first)}`);
  if (isMap(options)) {
    const { tag, dc, near, status, params } = readOptions(call, options, ['tag', 'dc', 'near', 'status'], SERVICE_PARAMS);
    const statuses = Array.isArray(status) ? status : status === undefined ? [] : [status];
    return { name: first, tag: text(tag), dc: text(dc), near: text(near), statuses: statusesOf(call, statuses.map(text)), params };
  }
  const whole = args.filter((arg) => typeof arg === 'string').join('|');
  const groups = matched(
    call,
    whole,
    SERVICE,
    'TAG.NAME?QUERY@DC~NEAR|STATUS; a name with dots needs the object form: service("web.v1", {})',
  );
  const { name = '', tag = '', query = '', dc = '', near = '', filter = '' } = groups;
  const statuses = filter === '' ? [] : filter.split(',');
  return { name, tag, dc, near, statuses: statusesOf(call, statuses), params: queryParams(call, query, SERVICE_PARAMS) };
}

export interface PlaceQuestion {
  /** The path, the prefix or the node's name; empty when it was left out. */
  readonly subject: string;
  readonly dc: string;
  readonly near: string;
  readonly params: Readonly<Record<string, string>>;
}

const PLACE_PARAMS = ['ns', 'partition', 'peer'];
const KEY = /^\/?(?<subject>[^@?]*)(?:\?(?<query>[\w\-=&]+))?(?:@(?<dc>[\w.-]+))?$/;
const NODE = /^(?<subject>[A-Za-z0-9:._-]*)(?:\?(?<query>[\w\-=&]+))?(?:@(?<dc>[\w.-]+))?$/;
const CATALOG = /^(?<subject>)(?:\?(?<query>[\w\-=&]+))?(?:@(?<dc>[\w.-]+))?(?:~(?<near>[\w.-]+))?$/;

/** `key("path?query@dc")`, or a path as it is and `{dc, ns, partition}`. */
export function keyQuestion(call: string, path: unknown, options: unknown): PlaceQuestion {
  if (typeof path !== 'string') throw new SyntaxError(`${call}: needs a path, got ${shown(path)}`);
  const question = isMap(options)
    ? { ...placeOptions(call, options), subject: path }
    : place(call, matched(call, path, KEY, 'PATH?QUERY@DC; a path with @ or ? needs the object form: key("a@b", {})'));
  return { ...question, subject: keyPath(question.subject) };
}

/** Consul's API has no path with a slash at its beginning, two in a row, or a part `.` or `..`: it sends whoever asks for one to the path without. */
function keyPath(path: string): string {
  return posix.normalize(`/${path}`).slice(1);
}

/** `node("name?query@dc")`, or a name and `{dc}`; without a name the agent's own node. */
export function nodeQuestion(call: string, name: unknown, options: unknown): PlaceQuestion {
  if (isMap(name)) return { ...placeOptions(call, name), subject: '' };
  if (!isMap(options)) return place(call, matched(call, text(name), NODE, 'NAME?QUERY@DC'));
  return { ...placeOptions(call, options), subject: text(name) };
}

/** `services("?query@dc")`, `nodes("?query@dc~near")`, or `{dc, near}`. */
export function catalogQuestion(call: string, argument: unknown): PlaceQuestion {
  if (isMap(argument)) return { ...placeOptions(call, argument), subject: '' };
  return place(call, matched(call, text(argument), CATALOG, '?QUERY@DC~NEAR'));
}

function place(
  call: string,
  { subject = '', query = '', dc = '', near = '' }: Readonly<Record<string, string | undefined>>,
): PlaceQuestion {
  return { subject, dc, near, params: queryParams(call, query, PLACE_PARAMS) };
}

function placeOptions(call: string, options: Readonly<Record<string, unknown>>): Omit<PlaceQuestion, 'subject'> {
  const { dc, near, params } = readOptions(call, options, ['dc', 'near', 'default'], PLACE_PARAMS);
  return { dc: text(dc), near: text(near), params };
}

function matched(call: string, whole: string, pattern: RegExp, form: string): Readonly<Record<string, string | undefined>> {
  const match = pattern.exec(whole);
  if (match === null) throw new SyntaxError(`${call}: ${shown(whole)} must be ${form}`);
  return match.groups ?? {};
}

function queryParams(call: string, query: string, known: readonly string[]): Readonly<Record<string, string>> {
  const params: Record<string, string> = {};
  for (const part of query === '' ? [] : query.split('&')) {
    const [key = '', value = ''] = part.split('=');
    if (!known.includes(key)) throw new SyntaxError(`${call}: unknown parameter ${shown(key)}; known are ${known.join(', ')}`);
    if (value !== '') params[key] ??= value;
  }
  return params;
}

function readOptions(call: string, options: Readonly<Record<string, unknown>>, known: readonly string[], params: readonly string[]) {
  // Nunjucks marks keyword arguments, service("web", dc="dc2"), with this.
  const given = Object.entries(options).filter(([name, value]) => name !== '__keywords' && value !== undefined && value !== null);
  for (const [name] of given) {
    if (!known.includes(name) && !params.includes(name))
      throw new SyntaxError(`${call}: unknown option ${shown(name)}; known are ${[...known, ...params].join(', ')}`);
  }
  const own = Object.fromEntries(given);
  return {
    tag: own['tag'],
    dc: own['dc'],
    near: own['near'],
    status: own['status'],
    params: Object.fromEntries(given.filter(([name]) => params.includes(name)).map(([name, value]) => [name, text(value)])),
  };
}

function statusesOf(call: string, words: readonly string[]): readonly Status[] {
  if (words.length === 0) return ['passing'];
  return words.map((word) => {
    const status = STATUSES.find((known) => known === word.trim());
    if (status === undefined) throw new SyntaxError(`${call}: unknown status ${shown(word)}; known are ${STATUSES.join(', ')}`);
    return status;
  });
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}
