import { byteOrder } from './compare.ts';
import { BALANCES, type Balance, type HttpCheck, type Redirect, type Sticky } from './edge.ts';
import { type EdgeUser, parseEdgeUser, withoutHashes } from './edge-user.ts';
import { type HostPattern, hostPattern, hostPatternFault } from './host-pattern.ts';
import { type IpNetwork, parseIpNetwork } from './ip-network.ts';
import { nearestName } from './nearest-name.ts';
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
 *   union      all of them                  the service keeps its last good rules
 *   service    the first in byte order      the service keeps its last good rules
 *   instance   each has its own             the next spelling, then the default, for that instance
 *
 * A claim makes its service one for the edge, and only one service has what is claimed.
 */
export interface EdgeOption<Value> {
  /** The spellings of its tag; an earlier one beats a later. */
  readonly tags: readonly string[];
  readonly scope: 'claim' | 'union' | 'service' | 'instance';
  /** Whether a value is a list, parted by commas. */
  readonly isList?: boolean;
  /** Whether its values are nobody's to see. */
  readonly isSecret?: boolean;
  readonly parse: (text: string) => ParsedOption<Value>;
  /** For docs/tags.md: how a value is written, and what it does. */
  readonly value: string;
  readonly describe: string;
}

/** The name of an option in problems: the first spelling of its tag. */
export function tagOf({ tags: [tag = ''] }: Pick<EdgeOption<unknown>, 'tags'>): string {
  return tag;
}

/** Tags that make a service an HTTP service; they have no value. */
export const HTTP_TAGS: readonly string[] = ['haproxy', 'webapp'];

/** Connections at once to an instance that sets none. */
export const DEFAULT_MAX_CONNECTIONS = 128;

/** The highest priority; the lowest is its negative. */
export const MOST_PRIORITY = 1_000;

/** Every option with a value, each defined here and nowhere else. A new one is a row, a golden file, and `npm run docs`. */
export const EDGE_OPTIONS = {
  vhost: {
    tags: ['haproxy_vhost'],
    scope: 'claim',
    isList: true,
    parse: parseVhost,
    value: 'HOST[,HOST…]',
    describe:
      'host of its own, or `*.example.org` for every host below `example.org`, at any depth; implies HTTP. With `haproxy_route` the service has that path of its hosts only. In `SERVICE_TAGS` a comma within a value is written `\\,`',
  },
  route: {
    tags: ['haproxy_route'],
    scope: 'claim',
    parse: parseRoute,
    value: '/PATH',
    describe:
      '`/PATH` and everything under `/PATH/`, never `/PATHx`, on any host that no more specific rule claims, or on the hosts of `haproxy_vhost` where there are any; implies HTTP. Nothing is rewritten',
  },
  tcp: {
    tags: ['haproxy_tcp'],
    scope: 'claim',
    parse: parsePort,
    value: 'PORT',
    describe: 'TCP port on every edge node; needs no `haproxy`',
  },
  strip: {
    tags: ['haproxy_strip_prefix'],
    scope: 'union',
    parse: parseStrip,
    value: '/PATH',
    describe:
      'its instances do not see this beginning of a path: `/PATH/x` becomes `/x` and `/PATH` becomes `/`, byte for byte, never `/PATHx`; of several the longest. They find it in `X-Forwarded-Prefix`, which clients cannot set',
  },
  user: {
    tags: ['haproxy_auth'],
    scope: 'union',
    isSecret: true,
    parse: parseUser,
    value: 'USER:HASH',
    describe:
      'name and password are asked for over HTTP (TCP ports are not asked: see `haproxy_allow`). The hash is SHA-crypt or bcrypt, as `openssl passwd -5` makes it. The key `haproxy/SERVICE/auth` in Consul, one `USER:HASH` a line, beats the tags',
  },
  network: {
    tags: ['haproxy_allow'],
    scope: 'union',
    isList: true,
    parse: parseNetwork,
    value: 'CIDR[,CIDR…]',
    describe: 'networks or addresses (IPv4, IPv6) from which it may be used, over HTTP and TCP; others get 403, or no TCP connection',
  },
  balance: {
    tags: ['haproxy_balance'],
    scope: 'service',
    parse: parseBalance,
    value: 'ALGORITHM',
    describe: '`roundrobin` (default), `leastconn`, `random`, `source`, `uri` or `first`',
  },
  check: {
    tags: ['haproxy_httpchk'],
    scope: 'service',
    parse: parseCheck,
    value: '[METHOD ]/PATH',
    describe:
      'HTTP check by the edge itself, every 2 s, besides those of Consul: down after 3 failures, up after 2 successes; GET, HEAD or OPTIONS',
  },
  redirect: {
    tags: ['haproxy_redirect'],
    scope: 'service',
    parse: parseRedirect,
    value: 'https',
    describe: 'requests over HTTP are sent to HTTPS (301), where the edge has a certificate (`--certs DIR`)',
  },
  sticky: {
    tags: ['haproxy_sticky'],
    scope: 'service',
    parse: parseSticky,
    value: 'true|variant',
    describe:
      'a client keeps its instance by a cookie (`toots_SERVICE`: HttpOnly, SameSite=Lax, Secure over HTTPS) while that instance serves, or with `variant` only its variant: a client that got the canary keeps the canary, whichever instance of it. An instance of weight 0 keeps its clients and gets no new ones. `false` is the default',
  },
  priority: {
    tags: ['haproxy_priority'],
    scope: 'service',
    parse: parsePriority,
    value: 'N',
    describe: `who has what two services claim: the higher, −${MOST_PRIORITY} to ${MOST_PRIORITY}, default 0; then the first name in byte order`,
  },
  weight: {
    tags: ['haproxy_weight', 'weight'],
    scope: 'instance',
    parse: parseWeight,
    value: 'N',
    describe: 'share of the requests, 0–256, default 100; DNS SRV tells the same. The key `haproxy/SERVICE/weights` in Consul beats it',
  },
  maxConnections: {
    tags: ['haproxy_maxconn'],
    scope: 'instance',
    parse: parseMaxConnections,
    value: 'N',
    describe: 'connections at once to one instance, 1–65535, default 128; more wait. The key `haproxy/SERVICE/maxconn` in Consul beats it',
  },
  backup: {
    tags: ['haproxy_backup'],
    scope: 'instance',
    parse: parseBackup,
    value: 'true',
    describe: 'this instance gets requests only while no other can be used; several backups share them by weight. `false` is the default',
  },
} satisfies Record<string, EdgeOption<unknown>>;

/** What the options of one instance are when it sets none. */
export const INSTANCE_DEFAULTS = { weight: DEFAULT_WEIGHT, maxConnections: DEFAULT_MAX_CONNECTIONS, backup: false } as const;

const OPTIONS: readonly EdgeOption<unknown>[] = Object.values(EDGE_OPTIONS);
const TAG_NAMES: ReadonlySet<string> = new Set(OPTIONS.flatMap(({ scope, tags }) => (scope === 'claim' ? tags : [])));
const VALUED_TAGS: ReadonlySet<string> = new Set(OPTIONS.flatMap(({ tags }) => tags));
const SECRET_TAGS: ReadonlySet<string> = new Set(OPTIONS.flatMap(({ isSecret, tags }) => (isSecret === true ? tags : [])));
const KNOWN_TAGS: readonly string[] = [...HTTP_TAGS, ...VALUED_TAGS];
/** What people write who mean the edge. */
const MEANT_FOR_EDGE = /^haproxy(?:[_=]|$)/i;

/** Whether a service with these tags is one for the edge. */
export function isForEdge(tags: readonly string[]): boolean {
  return tags.some((tag) => HTTP_TAGS.includes(tag) || TAG_NAMES.has(tagName(tag)));
}

/** Whether any of the tags speaks of the edge, even if the edge does not know it. */
export function concernsEdge(tags: readonly string[]): boolean {
  return isForEdge(tags) || tags.some((tag) => MEANT_FOR_EDGE.test(tag));
}

/** A tag that is meant for the edge, which does not know it. */
export interface UnknownTag {
  /** Without the value, which may be a secret. */
  readonly name: string;
  readonly nearest: string;
}

/** The tags that are meant for the edge and that it does not know, each name once. */
export function unknownTags(tags: readonly string[]): readonly UnknownTag[] {
  const unknown = tags.filter((tag) => MEANT_FOR_EDGE.test(tag) && !HTTP_TAGS.includes(tag) && !VALUED_TAGS.has(tagName(tag)));
  const names = new Set(
    unknown.map((tag) => /^[\w-]*=?/.exec(tag)?.[0] ?? '').map((name) => (name === 'haproxy=' ? name : name.replace(/=$/, ''))),
  );
  return [...names]
    .sort(byteOrder)
    .map((name) => ({ name: name.slice(0, 64), nearest: nearestName(name.toLowerCase().slice(0, 64), KNOWN_TAGS) }));
}

/** A tag as people may see it. */
export function shownTag(tag: string): string {
  const name = tagName(tag);
  const isUnknown = MEANT_FOR_EDGE.test(tag) && !KNOWN_TAGS.includes(name);
  return SECRET_TAGS.has(name) || isUnknown ? `${/^[\w-]*/.exec(name)?.[0]}=${NOT_SHOWN}` : withoutHashes(tag);
}

/** What stands for the value of a secret. */
export const NOT_SHOWN = '(not shown)';

/** `name` of `name=value`; a tag without `=` is all name. */
function tagName(tag: string): string {
  const end = tag.indexOf('=');
  return end < 0 ? tag : tag.slice(0, end);
}

/** The values that tags give to one spelling of an option, in the tags' order; a tag without `=` gives the empty text. */
export function valuesOfTag(tags: readonly string[], spelling: string): readonly string[] {
  return tags.filter((tag) => tagName(tag) === spelling).map((tag) => tag.slice(spelling.length + 1));
}

function parseVhost(text: string): ParsedOption<HostPattern> {
  const fault = hostPatternFault(text);
  return fault === undefined ? { kind: 'taken', value: hostPattern(text) } : { kind: 'refused', reason: fault };
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

function parseStrip(text: string): ParsedOption<PathPrefix> {
  const parsed = parseRoute(text);
  if (parsed.kind === 'taken' && parsed.value === '')
    return { kind: 'refused', reason: 'there is nothing to strip in /; it is a path such as /media' };
  return parsed;
}

function parseUser(text: string): ParsedOption<EdgeUser> {
  const user = parseEdgeUser(text);
  return typeof user === 'string' ? { kind: 'refused', reason: user } : { kind: 'taken', value: user };
}

function parseNetwork(text: string): ParsedOption<IpNetwork> {
  const parsed = parseIpNetwork(text);
  return typeof parsed === 'string' ? { kind: 'refused', reason: parsed } : { kind: 'taken', value: parsed.network };
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

function parseSticky(text: string): ParsedOption<Sticky | undefined> {
  if (text === 'variant') return { kind: 'taken', value: text };
  const parsed = parseSwitch(text);
  if (parsed.kind === 'refused') return { kind: 'refused', reason: 'it is true, false or variant' };
  return { kind: 'taken', value: parsed.value ? 'instance' : undefined };
}

function parsePriority(text: string): ParsedOption<number> {
  return clamped(text, -MOST_PRIORITY, MOST_PRIORITY, (value) => value, 'a priority');
}

function parseBackup(text: string): ParsedOption<boolean> {
  return parseSwitch(text);
}

/** A tag without a value is on. */
function parseSwitch(text: string): Exclude<ParsedOption<boolean>, { kind: 'clamped' }> {
  if (text === '' || text === 'true' || text === 'false') return { kind: 'taken', value: text !== 'false' };
  return { kind: 'refused', reason: 'it is true or false' };
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
