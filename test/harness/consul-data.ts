import type { TestConsul } from './consul.ts';

/** What a test fills Consul with: nodes with services in the catalog, and keys. */
export interface ConsulData {
  readonly nodes?: readonly NodeData[];
  readonly kv?: Readonly<Record<string, string>>;
}

interface NodeData {
  readonly name: string;
  readonly address: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly taggedAddresses?: Readonly<Record<string, string>>;
  readonly services?: readonly ServiceData[];
}

interface ServiceData {
  readonly name: string;
  readonly id?: string;
  readonly address?: string;
  readonly port?: number;
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
  readonly weights?: { readonly passing: number; readonly warning: number };
  readonly status?: string;
  readonly checks?: readonly { readonly id?: string; readonly name?: string; readonly status: string; readonly output?: string }[];
  readonly proxyOf?: string;
}

/** Fills the catalog and the KV store. */
export async function loadData(consul: TestConsul, { nodes = [], kv = {} }: ConsulData): Promise<void> {
  for (const node of nodes) {
    const place = { Node: node.name, Address: node.address, NodeMeta: node.meta, TaggedAddresses: node.taggedAddresses };
    await consul.ask('PUT', '/v1/catalog/register', place);
    for (const service of node.services ?? []) await consul.ask('PUT', '/v1/catalog/register', { ...place, ...registration(service) });
  }
  for (const [key, value] of Object.entries(kv)) await putKey(consul, key, value);
}

function registration(service: ServiceData): object {
  const id = service.id ?? service.name;
  const { weights, proxyOf } = service;
  const checks = service.checks ?? [{ status: service.status ?? 'passing' }];
  return {
    Service: {
      ...{ ID: id, Service: service.name, Address: service.address, Port: service.port, Tags: service.tags ?? [], Meta: service.meta },
      ...(weights !== undefined && { Weights: { Passing: weights.passing, Warning: weights.warning } }),
      ...(proxyOf !== undefined && { Kind: 'connect-proxy', Proxy: { DestinationServiceName: proxyOf } }),
    },
    Checks: checks.map((check, at) => ({
      CheckID: check.id ?? `check:${id}:${at}`,
      Name: check.name ?? `check ${at}`,
      Status: check.status,
      Output: check.output ?? '',
      ServiceID: id,
    })),
  };
}

/** Takes everything away that {@link loadData} has brought. */
export async function clearData(consul: TestConsul, { nodes = [] }: ConsulData): Promise<void> {
  for (const { name } of nodes) await consul.ask('PUT', '/v1/catalog/deregister', { Node: name });
  await consul.ask('DELETE', '/v1/kv/?recurse=true');
}

/** The value as it is, not as JSON. */
export async function putKey(consul: TestConsul, path: string, value: string): Promise<void> {
  const response = await fetch(`${consul.url}/v1/kv/${path.split('/').map(encodeURIComponent).join('/')}`, { method: 'PUT', body: value });
  if (!response.ok) throw new Error(`PUT ${path}: ${response.status}`);
}
