import type { Brand } from './brand.ts';
import type { EdgeUser } from './edge-user.ts';
import type { HostPattern } from './host-pattern.ts';
import type { IpNetwork } from './ip-network.ts';
import type { PathPrefix } from './path-prefix.ts';
import type { Weight } from './weight.ts';

/** How an instance is chosen for a request: HAProxy's words, a closed list (configuration manual 4.2, `balance`). */
export const BALANCES = ['roundrobin', 'leastconn', 'random', 'source', 'uri', 'first'] as const;
export type Balance = (typeof BALANCES)[number];

/** Where a service sends requests that came over HTTP. */
export type Redirect = 'https';

/** What a client keeps, by a cookie: the instance that it got, or only its variant, and any instance of that. */
export type Sticky = 'instance' | 'variant';

/** An active check: a request every 2 s, down after 3 failures, up after 2 successes; 2xx and 3xx pass. */
export interface HttpCheck {
  readonly method: 'GET' | 'HEAD' | 'OPTIONS';
  readonly path: string;
}

/** An instance that gets requests, as the edge knows it. */
export interface EdgeInstance {
  /** Unique among the service's: made of ID, address and port, so that an instance that moved is another one. */
  readonly name: string;
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  readonly weight: Weight;
  /** Connections at once, 1–65535; more wait. */
  readonly maxConnections: number;
  /** The deployment that it came from. */
  readonly variant: string;
  /** It gets requests only while no other one can be used. */
  readonly backup: boolean;
}

/** What a service sets for all its instances together. */
export interface GroupOptions {
  readonly balance: Balance;
  readonly check: HttpCheck | undefined;
  /** Whether HTTP is answered with a redirect to HTTPS, where that is served. */
  readonly redirect: Redirect | undefined;
  readonly sticky: Sticky | undefined;
  /** Prefixes that its instances do not see, the longest first; never the empty one. */
  readonly stripped: readonly PathPrefix[];
  /** Who may use it, sorted by name; undefined for everybody, empty for nobody. */
  readonly users: readonly EdgeUser[] | undefined;
  /** From where it may be used, sorted; undefined for everywhere, empty for nowhere. */
  readonly networks: readonly IpNetwork[] | undefined;
}

/** The instances of a service behind one set of rules. */
export interface EdgeGroup extends GroupOptions {
  /** {@link groupKey} of the two below; also its name in HAProxy. */
  readonly key: string;
  readonly service: string;
  readonly mode: 'http' | 'tcp';
  /** Sorted by name; empty when none is healthy. */
  readonly instances: readonly EdgeInstance[];
}

/** A certificate with its key, as the edge serves it. */
export interface EdgeCertificate {
  /** SHA-1 fingerprint of the certificate in upper-case hex, as HAProxy shows it. */
  readonly sha1: string;
  /** Certificate, chain and key: a secret. */
  readonly pem: string;
}

/** Everything the edge should be. Equal catalogs give equal plans on every node, in the same order, whatever the order the data came in. */
export interface EdgePlan {
  /** By {@link groupKey}. */
  readonly groups: ReadonlyMap<string, EdgeGroup>;
  /** Exact hosts, in lower case, to the key of their group. */
  readonly hosts: ReadonlyMap<string, string>;
  /** {@link virtualHost} rules to the key of their group. */
  readonly vhosts: ReadonlyMap<VirtualHost, string>;
  /** Path prefixes to the key of their group. */
  readonly paths: ReadonlyMap<PathPrefix, string>;
  /** TCP ports to the key of their group. */
  readonly listeners: ReadonlyMap<number, string>;
  /** By file name; the first is for clients that name no host of another. HTTPS is served when there is one. */
  readonly certificates: ReadonlyMap<string, EdgeCertificate>;
}

/** A rule for a path of a host, or for a wildcard host: `app.example.com/api`, `*.example.org`, `*.example.org/api`. */
export type VirtualHost = Brand<string, 'VirtualHost'>;

/** A host's rule for a prefix; that of one host and every path is no virtual host, but an exact host. */
export function virtualHost(host: HostPattern, prefix: PathPrefix): VirtualHost {
  return `${host}${prefix}` as VirtualHost;
}

/** The key of a service's group; also its name in HAProxy. No service name holds a colon. */
export function groupKey(service: string, mode: EdgeGroup['mode']): string {
  return mode === 'http' ? service : `tcp:${service}`;
}
