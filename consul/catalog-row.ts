import { isRecord, type JsonRecord, numberField, textField } from './json-fields.ts';

/** A check or an instance in one of Consul's large tables, reduced to what tells that it changed. */
export interface CatalogRow {
  readonly node: string;
  /** Empty for a check of the node itself. */
  readonly service: string;
  readonly modifyIndex: number;
}

/** Rows by their node and ID. */
export type CatalogTable = ReadonlyMap<string, CatalogRow>;

/** What may answer otherwise than before: services by name, and nodes, which stand for every service with an instance on them. */
export interface Touched {
  readonly services: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
}

/** Reads the answer of `/v1/health/state/any`: all checks. Pure. @throws TypeError when it is no list. */
export function parseCheckTable(json: unknown): CatalogTable {
  if (!Array.isArray(json)) throw new TypeError('the answer is no list of checks');
  return new Map(
    json.filter(isRecord).map((check) => {
      const node = textField(check, 'Node');
      return [`${node}\n${textField(check, 'CheckID')}`, row(node, textField(check, 'ServiceName'), check)];
    }),
  );
}

/** Reads the answer of `/v1/catalog/node/:node`: the instances on it; null for a node that is gone. Pure. @throws TypeError for anything else. */
export function parseNodeServices(json: unknown, node: string): CatalogTable {
  if (json === null) return new Map();
  if (!isRecord(json)) throw new TypeError('the answer is no node');
  const services = isRecord(json['Services']) ? Object.entries(json['Services']) : [];
  return new Map(
    services.flatMap(([id, service]) => (isRecord(service) ? [[`${node}\n${id}`, row(node, textField(service, 'Service'), service)]] : [])),
  );
}

/** Reads the answer of `/v1/catalog/nodes`. Pure. @throws TypeError when it is no list. */
export function parseNodeTable(json: unknown): CatalogTable {
  if (!Array.isArray(json)) throw new TypeError('the answer is no list of nodes');
  return new Map(
    json.filter(isRecord).map((node) => {
      const name = textField(node, 'Node');
      return [name, row(name, '', node)];
    }),
  );
}

/** Which services and nodes the rows belong to that came, went, or have another ModifyIndex. Pure. */
export function touchedBy(before: CatalogTable, after: CatalogTable): Touched {
  const touched = { services: new Set<string>(), nodes: new Set<string>() };
  for (const [key, row] of after) {
    const old = before.get(key);
    if (old?.modifyIndex === row.modifyIndex && old.service === row.service) continue;
    touch(touched, row);
    if (old !== undefined) touch(touched, old);
  }
  for (const [key, row] of before) if (!after.has(key)) touch(touched, row);
  return touched;
}

function touch({ services, nodes }: { services: Set<string>; nodes: Set<string> }, { service, node }: CatalogRow): void {
  if (service === '') nodes.add(node);
  else services.add(service);
}

function row(node: string, service: string, record: JsonRecord): CatalogRow {
  return { node, service, modifyIndex: numberField(record, 'ModifyIndex', 0) };
}
