/** What Consul says of an instance, its service's checks and its node's together. The worst one counts; maintenance beats critical. */
export type Health = 'passing' | 'warning' | 'critical' | 'maintenance';

/** One address:port of a service, as the Consul catalog holds it. */
export interface Instance {
  readonly service: string;
  /** The Consul service ID: unique on its node, not in the catalog. */
  readonly id: string;
  readonly node: string;
  /** The service's address, or its node's where it has none. An IP address or a host name; not checked. */
  readonly address: string;
  /** As registered; not checked. */
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly health: Health;
  /** True when the node itself is lost (`serfHealth` critical), as against checks that failed. */
  readonly nodeLost: boolean;
}

/** Where a registration says of which variant an instance is. */
export const VARIANT_META = 'toots-variant';

/** The deployment that an instance came from; the empty text where its registration does not say. */
export function variantOf({ meta }: Instance): string {
  return meta[VARIANT_META] ?? '';
}

/** Instances that get requests. */
export function isServed({ health }: Instance): boolean {
  return health === 'passing' || health === 'warning';
}
