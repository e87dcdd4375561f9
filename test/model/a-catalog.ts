import type { Catalog } from '../../model/catalog.ts';
import { byteOrder } from '../../model/compare.ts';
import type { Instance } from '../../model/instance.ts';
import type { EdgePolicy } from '../../model/plan-edge.ts';
import { withValues } from '../../model/revised-map.ts';

/** A healthy instance of a service called web, `a` at 10.0.0.1:8080 on the node n1, but for what is said. */
export function anInstance(given: Partial<Instance> = {}): Instance {
  return {
    service: 'web',
    id: 'a',
    node: 'n1',
    address: '10.0.0.1',
    port: 8080,
    tags: ['haproxy'],
    meta: {},
    health: 'passing',
    nodeLost: false,
    ...given,
  };
}

/** Instances by their tags alone: the first is `a` at 10.0.0.1, the next `b` at 10.0.0.2, and so on. */
export function tagged(...tags: readonly (readonly string[])[]): Instance[] {
  return tags.map((of, i) => anInstance({ id: String.fromCharCode(97 + i), address: `10.0.0.${i + 1}`, tags: of }));
}

/** The catalog that holds these instances, in Consul's order: by node, then ID. */
export function aCatalog(instances: readonly Instance[], rest: Partial<Omit<Catalog, 'services'>> = {}): Catalog {
  const services = new Map<string, Instance[]>();
  for (const instance of instances) services.set(instance.service, [...(services.get(instance.service) ?? []), instance]);
  for (const list of services.values()) list.sort((a, b) => byteOrder(a.node, b.node) || byteOrder(a.id, b.id));
  return { services, datacenters: ['dc1'], keys: new Map(), ...rest };
}

/** An edge of the domain `consul`, whose own ports are 80 and 81. */
export const POLICY: EdgePolicy = {
  domain: 'consul',
  addedDomains: [],
  refusedPorts: new Map([
    [80, 'the HTTP port of the edge'],
    [81, 'the statistics port of the edge'],
  ]),
  resolved: new Map(),
};

/** A catalog as the watch gives it after another one: what did not change is the same object, and where no service came or went its map is revised. */
export function asWatched(before: Catalog, { services, datacenters, keys }: Catalog): Catalog {
  const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const kept = new Map(
    [...services].map(([name, list]) => {
      const old = before.services.get(name);
      return [name, old !== undefined && isSame(old, list) ? old : list] as const;
    }),
  );
  const hasSameNames = kept.size === before.services.size && [...kept.keys()].every((name) => before.services.has(name));
  return {
    services: hasSameNames ? withValues(before.services, kept) : kept,
    datacenters: isSame(datacenters, before.datacenters) ? before.datacenters : datacenters,
    keys: isSame([...keys], [...before.keys]) ? before.keys : keys,
  };
}
