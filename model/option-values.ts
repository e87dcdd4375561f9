import { BALANCES, type Balance, type HttpCheck, type Redirect, type Sticky } from './edge.ts';
import { type EdgeUser, parseEdgeUser } from './edge-user.ts';
import { type HostPattern, hostPattern, hostPatternFault } from './host-pattern.ts';
import { type IpNetwork, parseIpNetwork } from './ip-network.ts';
import { type PathPrefix, pathFault, pathPrefix } from './path-prefix.ts';
import { MOST_WEIGHT, type Weight, weight } from './weight.ts';

/** How the values of the edge's options are read. Every parser is pure, and says of a value that it refuses what would be right. */

/** What became of an option's value: taken, taken at the nearest end of its range, or refused. */
export type ParsedOption<Value> =
  | { readonly kind: 'taken'; readonly value: Value }
  | { readonly kind: 'clamped'; readonly value: Value; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** The highest priority; the lowest is its negative. */
export const MOST_PRIORITY = 1_000;

export function parseVhost(text: string): ParsedOption<HostPattern> {
  const fault = hostPatternFault(text);
  return fault === undefined ? { kind: 'taken', value: hostPattern(text) } : { kind: 'refused', reason: fault };
}

export function parseRoute(text: string): ParsedOption<PathPrefix> {
  const fault = pathFault(text);
  return fault === undefined ? { kind: 'taken', value: pathPrefix(text) } : { kind: 'refused', reason: fault };
}

export function parsePort(text: string): ParsedOption<number> {
  const port = wholeNumber(text);
  if (port !== undefined && port >= 1 && port <= 65_535) return { kind: 'taken', value: port };
  return { kind: 'refused', reason: 'a TCP port is a whole number from 1 to 65535' };
}

export function parseStrip(text: string): ParsedOption<PathPrefix> {
  const parsed = parseRoute(text);
  if (parsed.kind === 'taken' && parsed.value === '')
    return { kind: 'refused', reason: 'there is nothing to strip in /; it is a path such as /media' };
  return parsed;
}

export function parseUser(text: string): ParsedOption<EdgeUser> {
  const user = parseEdgeUser(text);
  return typeof user === 'string' ? { kind: 'refused', reason: user } : { kind: 'taken', value: user };
}

export function parseNetwork(text: string): ParsedOption<IpNetwork> {
  const parsed = parseIpNetwork(text);
  return typeof parsed === 'string' ? { kind: 'refused', reason: parsed } : { kind: 'taken', value: parsed.network };
}

export function parseBalance(text: string): ParsedOption<Balance> {
  const balance = BALANCES.find((known) => known === text);
  return balance === undefined ? { kind: 'refused', reason: `it is one of ${BALANCES.join(', ')}` } : { kind: 'taken', value: balance };
}

export function parseCheck(text: string): ParsedOption<HttpCheck> {
  const match = /^(?:(GET|HEAD|OPTIONS) )?(\/[^ ]*)$/.exec(text);
  const path = match?.[2] ?? '';
  const reason = 'it is a path, or GET, HEAD or OPTIONS, a blank and a path';
  if (match === null) return { kind: 'refused', reason };
  const fault = pathFault(path.replace('?', ''));
  if (fault !== undefined) return { kind: 'refused', reason: `${reason}; ${fault}` };
  return { kind: 'taken', value: { method: (match[1] ?? 'GET') as HttpCheck['method'], path } };
}

export function parseRedirect(text: string): ParsedOption<Redirect> {
  return text === 'https' ? { kind: 'taken', value: text } : { kind: 'refused', reason: 'the one place to redirect to is https' };
}

export function parseSticky(text: string): ParsedOption<Sticky | undefined> {
  if (text === 'variant') return { kind: 'taken', value: text };
  const parsed = parseSwitch(text);
  if (parsed.kind === 'refused') return { kind: 'refused', reason: 'it is true, false or variant' };
  return { kind: 'taken', value: parsed.value ? 'instance' : undefined };
}

export function parsePriority(text: string): ParsedOption<number> {
  return clamped(text, -MOST_PRIORITY, MOST_PRIORITY, (value) => value, 'a priority');
}

export function parseBackup(text: string): ParsedOption<boolean> {
  return parseSwitch(text);
}

/** A tag without a value is on. */
function parseSwitch(text: string): Exclude<ParsedOption<boolean>, { kind: 'clamped' }> {
  if (text === '' || text === 'true' || text === 'false') return { kind: 'taken', value: text !== 'false' };
  return { kind: 'refused', reason: 'it is true or false' };
}

export function parseWeight(text: string): ParsedOption<Weight> {
  return clamped(text, 0, MOST_WEIGHT, weight, 'a weight');
}

export function parseMaxConnections(text: string): ParsedOption<number> {
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
