import { BALANCES, type Balance, type HttpCheck, type Redirect } from './edge.ts';
import { type PathPrefix, pathFault, pathPrefix } from './path-prefix.ts';
import { DEFAULT_WEIGHT, MOST_WEIGHT, type Weight, weight } from './weight.ts';

/** What became of an option's value: taken, taken at the nearest end of its range, or refused. */
export type ParsedOption<Value> =
  | { readonly kind: 'taken'; readonly value: Value }
  | { readonly kind: 'clamped'; readonly value: Value; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * An option that a service sets by a tag. Whose it is decides what a difference between instances means, and what a refused value costs:
 *
 *   scope      instances differ             refused
 *   --------   --------------------------   ---------------------------------------------------
 *   claim      all of them                  the service keeps its last good rules
 *   service    the first in byte order      the service keeps its last good rules
 *   instance   each has its own             the next spelling, then the default, for that instance
 */
export interface EdgeOption<Value> {
  /** Its name in problems. */
  readonly name: string;
  /** The spellings of its tag; an earlier one beats a later. */
  readonly tags: readonly string[];
  readonly scope: 'claim' | 'service' | 'instance';
  readonly parse: (text: string) => ParsedOption<Value>;
}

/** Tags that make a service an HTTP service; they have no value. */
export const HTTP_TAGS: readonly string[] = ['haproxy', 'webapp'];

/** Connections at once to an instance that sets none. */
export const DEFAULT_MAX_CONNECTIONS = 128;

/** Every option with a value, each defined here and nowhere else. A new one is a row, a golden file and a line in the README's table. */
export const EDGE_OPTIONS = {
  route: { name: 'haproxy_route', tags: ['haproxy_route'], scope: 'claim', parse: parseRoute },
  tcp: { name: 'haproxy_tcp', tags: ['haproxy_tcp'], scope: 'claim', parse: parsePort },
  balance: { name: 'haproxy_balance', tags: ['haproxy_balance'], scope: 'service', parse: parseBalance },
  check: { name: 'haproxy_httpchk', tags: ['haproxy_httpchk'], scope: 'service', parse: parseCheck },
  redirect: { name: 'haproxy_redirect', tags: ['haproxy_redirect'], scope: 'service', parse: parseRedirect },
  weight: { name: 'weight', tags: ['haproxy_weight', 'weight'], scope: 'instance', parse: parseWeight },
  maxConnections: { name: 'haproxy_maxconn', tags: ['haproxy_maxconn'], scope: 'instance', parse: parseMaxConnections },
} satisfies Record<string, EdgeOption<unknown>>;

/** What the options of one instance are when it sets none. */
export const INSTANCE_DEFAULTS = { weight: DEFAULT_WEIGHT, maxConnections: DEFAULT_MAX_CONNECTIONS } as const;

const TAG_NAMES: ReadonlySet<string> = new Set(Object.values(EDGE_OPTIONS).flatMap(({ scope, tags }) => (scope === 'claim' ? tags : [])));

/** Whether a service with these tags is one for the edge. */
export function isForEdge(tags: readonly string[]): boolean {
  return tags.some((tag) => HTTP_TAGS.includes(tag) || TAG_NAMES.has(tagName(tag)));
}

/** `name` of `name=value`; a tag without `=` is all name. */
function tagName(tag: string): string {
  const end = tag.indexOf('=');
  return end < 0 ? tag : tag.slice(0, end);
}

/** The values that tags give to one spelling of an option, in the tags' order; a tag without `=` gives the empty text. */
export function valuesOfTag(tags: readonly string[], spelling: string): readonly string[] {
  return tags.filter((tag) => tagName(tag) === spelling).map((tag) => tag.slice(spelling.length + 1));
}

function parseRoute(text: string): ParsedOption<PathPrefix> {
  const fault = pathFault(text);
  return fault === undefined ? { kind: 'taken', value: pathPrefix(text) } : { kind: 'refused', reason: fault };
}

function parsePort(text: string): ParsedOption<number> {
  const port = wholeNumber(text);
  if (port !== undefined && port >= 1 && port <= 65_535) return { kind: 'taken', value: port };
  return { kind: 'refused', reason: 'a TCP port is a whole number from 1 to 65535' };
}

function parseBalance(text: string): ParsedOption<Balance> {
  const balance = BALANCES.find((known) => known === text);
  return balance === undefined ? { kind: 'refused', reason: `it is one of ${BALANCES.join(', ')}` } : { kind: 'taken', value: balance };
}

function parseCheck(text: string): ParsedOption<HttpCheck> {
  const match = /^(?:(GET|HEAD|OPTIONS) )?(\/[^ ]*)$/.exec(text);
  const path = match?.[2] ?? '';
  const reason = 'it is a path, or GET, HEAD or OPTIONS, a blank and a path';
  if (match === null) return { kind: 'refused', reason };
  const fault = pathFault(path.replace('?', ''));
  if (fault !== undefined) return { kind: 'refused', reason: `${reason}; ${fault}` };
  return { kind: 'taken', value: { method: (match[1] ?? 'GET') as HttpCheck['method'], path } };
}

function parseRedirect(text: string): ParsedOption<Redirect> {
  return text === 'https' ? { kind: 'taken', value: text } : { kind: 'refused', reason: 'the one place to redirect to is https' };
}

function parseWeight(text: string): ParsedOption<Weight> {
  return clamped(text, 0, MOST_WEIGHT, weight, 'a weight');
}

function parseMaxConnections(text: string): ParsedOption<number> {
  return clamped(text, 1, 65_535, (value) => value, 'a limit of connections');
}

function clamped<Value>(text: string, least: number, most: number, of: (value: number) => Value, what: string): ParsedOption<Value> {
  const number = wholeNumber(text);
  const range = `${what} is a whole number from ${least} to ${most}`;
  if (number === undefined) return { kind: 'refused', reason: range };
  if (number >= least && number <= most) return { kind: 'taken', value: of(number) };
  const nearest = number < least ? least : most;
  return { kind: 'clamped', value: of(nearest), reason: `${range}; ${nearest} is taken` };
}

/** A whole number as written by people: digits with a sign. Infinity where it is larger than a number can be. */
function wholeNumber(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}
