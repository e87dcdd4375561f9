import {
  MOST_PRIORITY,
  type ParsedOption,
  parseBackup,
  parseBalance,
  parseCheck,
  parseMaxConnections,
  parseNetwork,
  parsePort,
  parsePriority,
  parseRedirect,
  parseRoute,
  parseSticky,
  parseStrip,
  parseUser,
  parseVhost,
  parseWeight,
} from './option-values.ts';
import { DEFAULT_WEIGHT } from './weight.ts';

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

/** Connections at once to an instance that sets none. */
const DEFAULT_MAX_CONNECTIONS = 128;

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
    describe: 'TCP port on every edge node, one of those that services may open there (`-tcp-ports`); needs no `haproxy`',
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
