import { byteOrder } from '../model/compare.ts';
import { type HealthAnswer, parseHealthEntries } from './health-entry.ts';
import { isRecord, type JsonRecord, textField } from './json-fields.ts';

/**
 * Puts together what `/v1/health/service/:name` would answer, for every service there is, from the answers of `/v1/health/state/any` and of
 * `/v1/catalog/node/:node` for each node: an instance has the checks of its node first, then its own, each in the order of their IDs.
 * Like Consul's own indexes it ignores the case of nodes and IDs. Pure.
 */
export function joinedHealth(checks: unknown, nodes: readonly unknown[]): (name: string) => HealthAnswer {
  const checksOf = checksByOwner(checks);
  const items = new Map<string, JsonRecord[]>();
  for (const answer of nodes) {
    if (!isRecord(answer) || !isRecord(answer['Node']) || !isRecord(answer['Services'])) continue;
    const node = textField(answer['Node'], 'Node');
    for (const service of Object.values(answer['Services'])) {
      if (!isRecord(service)) continue;
      const all = [...checksOf(node, ''), ...checksOf(node, textField(service, 'ID'))];
      add(items, textField(service, 'Service'), { Node: answer['Node'], Service: service, Checks: all });
    }
  }
  return (name) => parseHealthEntries(items.get(name) ?? [], name);
}

function checksByOwner(checks: unknown): (node: string, serviceId: string) => readonly JsonRecord[] {
  const byOwner = new Map<string, JsonRecord[]>();
  const owner = (node: string, serviceId: string) => `${node}\n${serviceId}`.toLowerCase();
  const id = (check: JsonRecord) => textField(check, 'CheckID').toLowerCase();
  for (const check of Array.isArray(checks) ? checks.filter(isRecord) : [])
    add(byOwner, owner(textField(check, 'Node'), textField(check, 'ServiceID')), check);
  for (const own of byOwner.values()) own.sort((a, b) => byteOrder(id(a), id(b)));
  return (node, serviceId) => byOwner.get(owner(node, serviceId)) ?? [];
}

function add<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
