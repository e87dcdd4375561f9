import type { Health } from '../model/instance.ts';
import { isRecord, type JsonRecord, numberField, textField, textMapField, textsField } from './json-fields.ts';

/** One check of an instance or of its node. */
export interface HealthCheck {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  /** `passing`, `warning`, `critical`; whatever else a catalog registration wrote is kept as it is. */
  readonly status: string;
  readonly notes: string;
  readonly output: string;
  /** Empty for a check of the node. */
  readonly serviceId: string;
  readonly serviceName: string;
  readonly serviceTags: readonly string[];
}

/** An address as another network sees it; `port` 0 where Consul names none. */
export interface TaggedAddress {
  readonly address: string;
  readonly port: number;
}

/** One entry of `/v1/health/service/:name`: an instance, its node and its checks, with all that a template may show. */
export interface HealthEntry {
  readonly node: string;
  readonly nodeId: string;
  readonly nodeAddress: string;
  readonly datacenter: string;
  readonly nodeTaggedAddresses: Readonly<Record<string, string>>;
  readonly nodeMeta: Readonly<Record<string, string>>;
  readonly id: string;
  readonly name: string;
  /** In the order of the registration. */
  readonly tags: readonly string[];
  /** The service's own address, or its node's where it has none. */
  readonly address: string;
  readonly port: number;
  readonly meta: Readonly<Record<string, string>>;
  readonly taggedAddresses: Readonly<Record<string, TaggedAddress>>;
  readonly weights: { readonly passing: number; readonly warning: number };
  readonly checks: readonly HealthCheck[];
  /** All checks together, by {@link worstHealth}. */
  readonly status: Health;
}

/** What `/v1/health/service/:name` says; `unreadable` counts the entries that had to be left out. */
export interface HealthAnswer {
  readonly entries: readonly HealthEntry[];
  readonly unreadable: number;
}

/** Consul's own check of a node: critical when the gossip lost it. */
export const NODE_LOST_CHECK = 'serfHealth';

/**
 * Reads the answer of `/v1/health/service/:name`. Entries of another name are left out: Consul's look-up ignores case.
 * An entry without node, ID or name cannot be used; it is counted and left out, the rest is kept. Pure.
 * @throws TypeError when the answer is no list.
 */
export function parseHealthEntries(json: unknown, name: string): HealthAnswer {
  if (!Array.isArray(json)) throw new TypeError('the answer is no list of instances');
  const entries: HealthEntry[] = [];
  let unreadable = 0;
  for (const item of json) {
    const entry = healthEntry(item);
    if (entry === undefined) unreadable++;
    else if (entry.name === name) entries.push(entry);
  }
  return { entries, unreadable };
}

/** Worst of all checks; maintenance of the service or the node beats critical; no check counts as passing. */
export function worstHealth(checks: readonly HealthCheck[]): Health {
  let worst: Health = 'passing';
  for (const { id, status } of checks) {
    if (id === '_node_maintenance' || id.startsWith('_service_maintenance')) return 'maintenance';
    if (status === 'warning') {
      if (worst === 'passing') worst = 'warning';
    } else if (status !== 'passing') worst = 'critical';
  }
  return worst;
}

function healthEntry(item: unknown): HealthEntry | undefined {
  if (!isRecord(item)) return undefined;
  const { Node: node, Service: service, Checks: checkItems } = item;
  if (!isRecord(node) || !isRecord(service)) return undefined;
  const [nodeName, id, name] = [textField(node, 'Node'), textField(service, 'ID'), textField(service, 'Service')];
  if (nodeName === '' || id === '' || name === '') return undefined;
  const checks = Array.isArray(checkItems) ? checkItems.filter(isRecord).map(healthCheck) : [];
  return {
    node: nodeName,
    nodeId: textField(node, 'ID'),
    nodeAddress: textField(node, 'Address'),
    datacenter: textField(node, 'Datacenter'),
    nodeTaggedAddresses: textMapField(node, 'TaggedAddresses'),
    nodeMeta: textMapField(node, 'Meta'),
    id,
    name,
    tags: textsField(service, 'Tags'),
    address: textField(service, 'Address') || textField(node, 'Address'),
    port: numberField(service, 'Port', 0),
    meta: textMapField(service, 'Meta'),
    taggedAddresses: taggedAddresses(service['TaggedAddresses']),
    weights: weights(service['Weights']),
    checks,
    status: worstHealth(checks),
  };
}

function healthCheck(item: JsonRecord): HealthCheck {
  return {
    id: textField(item, 'CheckID'),
    name: textField(item, 'Name'),
    node: textField(item, 'Node'),
    status: textField(item, 'Status'),
    notes: textField(item, 'Notes'),
    output: textField(item, 'Output'),
    serviceId: textField(item, 'ServiceID'),
    serviceName: textField(item, 'ServiceName'),
    serviceTags: textsField(item, 'ServiceTags'),
  };
}

function taggedAddresses(value: unknown): Readonly<Record<string, TaggedAddress>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([tag, entry]): [string, TaggedAddress][] =>
      isRecord(entry) ? [[tag, { address: textField(entry, 'Address'), port: numberField(entry, 'Port', 0) }]] : [],
    ),
  );
}

/** An instance that was registered without weights counts 1 in either state. */
function weights(value: unknown): HealthEntry['weights'] {
  if (!isRecord(value)) return { passing: 1, warning: 1 };
  return { passing: numberField(value, 'Passing', 1), warning: numberField(value, 'Warning', 1) };
}
