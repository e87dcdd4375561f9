import type { ServiceList } from '../../consul/catalog-list.ts';
import type { HealthEntry } from '../../consul/health-entry.ts';
import { isRecord, type JsonRecord, numberField, textField, textMapField, textsField } from '../../consul/json-fields.ts';
import { parseKeyValues } from '../../consul/key-values.ts';
import { byteOrder } from '../../model/compare.ts';

/** Answers of Consul as templates see them: consul-template's fields in lower camel case, lists and tags sorted, all of it frozen. Pure. */

export interface InstanceView {
  readonly node: string;
  readonly id: string;
  readonly tags: readonly string[];
  readonly status: string;
}

/** Sorted by node, then ID. Only who looks at `checks` depends on their output. */
export function instancesView(answer: unknown, seesDetail: () => void): readonly InstanceView[] {
  return Object.freeze(
    (answer as readonly HealthEntry[])
      .map((entry) => instanceView(entry, seesDetail))
      .sort((a, b) => byteOrder(a.node, b.node) || byteOrder(a.id, b.id)),
  );
}

/** In the order of the answer, for `near`. */
export function nearInstancesView(answer: unknown, seesDetail: () => void): readonly InstanceView[] {
  return Object.freeze((answer as readonly HealthEntry[]).map((entry) => instanceView(entry, seesDetail)));
}

function instanceView(entry: HealthEntry, seesDetail: () => void): InstanceView {
  const { node, nodeId, nodeAddress, datacenter, nodeTaggedAddresses, nodeMeta, id, name, address, port, status } = entry;
  const checks = deepFrozen(
    entry.checks.map(({ id: checkID, ...check }) => ({ checkID, id: checkID, ...check, serviceID: check.serviceId })),
  );
  return Object.freeze(
    Object.defineProperty(
      {
        ...{ node, nodeID: nodeId, nodeId, nodeAddress, datacenter, nodeTaggedAddresses, nodeMeta },
        ...{ id, name, tags: Object.freeze([...entry.tags].sort(byteOrder)), address, port, status },
        ...{ meta: entry.meta, serviceMeta: entry.meta, weights: entry.weights, weight: entry.weights.passing },
        ...{ taggedAddresses: entry.taggedAddresses, serviceTaggedAddresses: entry.taggedAddresses },
      },
      'checks',
      {
        enumerable: true,
        get: () => {
          seesDetail();
          return checks;
        },
      },
    ),
  );
}

export function servicesView(answer: unknown): readonly { readonly name: string; readonly tags: readonly string[] }[] {
  return deepFrozen(
    [...(answer as ServiceList)]
      .map(([name, tags]) => ({ name, tags: [...tags].sort(byteOrder) }))
      .sort((a, b) => byteOrder(a.name, b.name)),
  );
}

/** Sorted by name, unless Consul sorted them by how near they are. */
export function nodesView(answer: unknown, isNear: boolean): readonly object[] {
  if (!Array.isArray(answer)) throw new TypeError('the answer is no list of nodes');
  const nodes = answer.filter(isRecord).map(nodeView);
  return deepFrozen(isNear ? nodes : nodes.sort((a, b) => byteOrder(a.node, b.node) || byteOrder(a.address, b.address)));
}

function nodeView(record: JsonRecord) {
  return {
    id: textField(record, 'ID'),
    node: textField(record, 'Node'),
    address: textField(record, 'Address'),
    datacenter: textField(record, 'Datacenter'),
    taggedAddresses: textMapField(record, 'TaggedAddresses'),
    meta: textMapField(record, 'Meta'),
  };
}

/** A node and its services, sorted by name and ID; `node` is null when there is none of that name. */
export function nodeServicesView(answer: unknown): object {
  if (!isRecord(answer) || !isRecord(answer['Node'])) return Object.freeze({ node: null, services: Object.freeze([]) });
  const services = isRecord(answer['Services']) ? Object.values(answer['Services']).filter(isRecord) : [];
  return deepFrozen({
    node: nodeView(answer['Node']),
    services: services.map(nodeServiceView).sort((a, b) => byteOrder(a.service, b.service) || byteOrder(a.id, b.id)),
  });
}

function nodeServiceView(record: JsonRecord) {
  return {
    id: textField(record, 'ID'),
    service: textField(record, 'Service'),
    name: textField(record, 'Service'),
    tags: [...textsField(record, 'Tags')].sort(byteOrder),
    meta: textMapField(record, 'Meta'),
    port: numberField(record, 'Port', 0),
    address: textField(record, 'Address'),
    enableTagOverride: record['EnableTagOverride'] === true,
  };
}

export interface PairView {
  readonly path: string;
  /** Relative to the prefix that was asked for. */
  readonly key: string;
  readonly value: string;
}

/** All entries below a prefix; folder markers, and a key that is the prefix itself, are left out. */
export function pairsView(answer: unknown, prefix: string): readonly PairView[] {
  const pairs = parseKeyValues(answer).map((entry) => ({ ...entry, key: entry.path.slice(prefix.length).replace(/^\/+/, '') }));
  return deepFrozen(pairs.filter(({ key }) => key !== '' && !key.endsWith('/')));
}

/** An answer of an agent's endpoint with its field names in lower camel case: `RootCertPEM` → `rootCertPEM`, `ID` → `id`. */
export function camelView(answer: unknown): unknown {
  if (Array.isArray(answer)) return Object.freeze(answer.map(camelView));
  if (!isRecord(answer)) return answer;
  return Object.freeze(
    Object.fromEntries(
      Object.entries(answer).map(([name, value]) => [
        /^[A-Z]+$/.test(name) ? name.toLowerCase() : name.slice(0, 1).toLowerCase() + name.slice(1),
        camelView(value),
      ]),
    ),
  );
}

/** A template that changed what it was given would change it for all. */
function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFrozen(part);
  }
  return value;
}
