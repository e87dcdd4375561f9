import { byteOrder } from './compare.ts';
import type { EdgeInstance } from './edge.ts';
import { isHostName } from './host-name.ts';
import { type Instance, isServed, variantOf } from './instance.ts';
import { ipVersion } from './ip-address.ts';
import { type Problem, shownValue } from './problem.ts';
import { readInstanceOptions } from './service-rules.ts';
import { parseWeightShares, weightsByShares } from './weight-shares.ts';

/** What is known of host names that instances have for an address: an IP address, or null where there is none. */
export type Resolved = ReadonlyMap<string, string | null>;

export interface PlannedInstances {
  /** Sorted by name. */
  readonly instances: readonly EdgeInstance[];
  readonly problems: readonly Problem[];
  /** Host names that instances have for an address; those without an answer yet are left out until there is one. */
  readonly hostNames: readonly string[];
}

const MOST_NAME_LENGTH = 100;

/** The KV values of a service, below `haproxy/<service>/`. */
export interface ServiceKeys {
  readonly maxconn?: string | undefined;
  readonly weights?: string | undefined;
  readonly auth?: string | undefined;
}

/** The instances of a service that get requests, each with its own options, as its keys override them. */
export function planInstances(all: readonly Instance[], keys: ServiceKeys, resolved: Resolved): PlannedInstances {
  const byName = new Map<string, EdgeInstance>();
  const problems: Problem[] = [];
  const hostNames = new Set<string>();
  for (const instance of all) {
    const { options, problems: ofOptions } = readInstanceOptions(instance, keys.maxconn);
    problems.push(...ofOptions);
    const where = endpoint(instance, resolved);
    if (where.kind === 'refused')
      problems.push({
        subject: instance.service,
        value: shownValue(where.value),
        reason: where.reason,
        related: [shownValue(instance.id)],
      });
    if (where.hostName !== undefined) hostNames.add(where.hostName);
    if (where.kind !== 'endpoint' || !isServed(instance)) continue;
    const name = instanceName(instance.id, where.address, instance.port, options.backup);
    if (!byName.has(name))
      byName.set(name, { name, address: where.address, port: instance.port, ...options, variant: variantOf(instance) });
  }
  return {
    instances: withShares(
      [...byName.values()].sort((a, b) => byteOrder(a.name, b.name)),
      keys.weights,
      all[0]?.service ?? '',
      problems,
    ),
    problems: withoutDuplicates(problems),
    hostNames: [...hostNames],
  };
}

/** The weights of the service's key, where it has one, instead of those of the tags. */
function withShares(instances: readonly EdgeInstance[], key: string | undefined, service: string, problems: Problem[]): EdgeInstance[] {
  const shares = key === undefined ? undefined : parseWeightShares(key);
  if (typeof shares === 'string')
    problems.push({ subject: service, option: `haproxy/${service}/weights`, value: shownValue(key ?? ''), reason: shares });
  const weights = shares === undefined || typeof shares === 'string' ? [] : weightsByShares(instances, shares);
  return instances.map((instance, i) => ({ ...instance, weight: weights[i] ?? instance.weight }));
}

/** `hostName` is the name that has to be looked up for it. */
type Endpoint = { readonly hostName?: string } & (
  | { readonly kind: 'endpoint'; readonly address: string }
  | { readonly kind: 'unresolved' }
  | { readonly kind: 'refused'; readonly value: string; readonly reason: string }
);

function endpoint({ address, port }: Instance, resolved: Resolved): Endpoint {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return { kind: 'refused', value: String(port), reason: 'the port of an instance is a whole number from 1 to 65535' };
  if (ipVersion(address) !== undefined) return { kind: 'endpoint', address };
  if (!isHostName(address.replace(/\.$/, '')))
    return { kind: 'refused', value: address, reason: 'the address of an instance is an IP address or a host name' };
  const known = resolved.get(address);
  const hostName = address;
  if (known === undefined) return { kind: 'unresolved', hostName };
  if (known === null) return { kind: 'refused', hostName, value: address, reason: 'this host name does not resolve on the edge' };
  return { kind: 'endpoint', hostName, address: known };
}

/** What is no letter of a HAProxy name becomes `_`. Two instances of one name have one address and port, so they are the same one; a backup cannot become another at run time, so it has a name of its own. */
export function instanceName(id: string, address: string, port: number, backup: boolean): string {
  return `${id.slice(0, MOST_NAME_LENGTH).replace(/[^A-Za-z0-9_.:-]/g, '_')}_${address}:${port}${backup ? '_backup' : ''}`;
}

function withoutDuplicates(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
