import type { TestConsul } from './consul.ts';

/** A registration as a test writes it to Consul. */
export interface TestRegistration {
  readonly service: string;
  /** The Consul ID; unique on its node. */
  readonly id: string;
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
  readonly address: string;
  readonly port: number;
  readonly health?: 'passing' | 'warning' | 'critical' | 'maintenance' | 'unchecked';
  /** A node other than the agent's own, as that node's agent would have registered it. */
  readonly node?: string;
  readonly nodeAddress?: string;
  readonly nodeHealth?: string;
}

/** Registers with the agent, or for another node in the catalog. */
export async function register(consul: TestConsul, one: TestRegistration): Promise<void> {
  await (one.node === undefined ? registerWithAgent(consul, one) : registerInCatalog(consul, one, one.node));
}

export async function deregister(consul: TestConsul, { id, node }: Pick<TestRegistration, 'id' | 'node'>): Promise<void> {
  if (node === undefined) await consul.ask('PUT', `/v1/agent/service/deregister/${encodeURIComponent(id)}`);
  else await consul.ask('PUT', '/v1/catalog/deregister', { Node: node, ServiceID: id });
}

/** Sets a key, or takes it away. */
export async function setKey(consul: TestConsul, key: string, value: string | null): Promise<void> {
  const url = `${consul.url}/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;
  const response = await fetch(url, value === null ? { method: 'DELETE' } : { method: 'PUT', body: value });
  if (!response.ok) throw new Error(`Consul key ${key}: ${response.status} ${await response.text()}`);
}

async function registerWithAgent(consul: TestConsul, one: TestRegistration): Promise<void> {
  const { service, id, tags = [], meta = {}, address, port, health = 'passing' } = one;
  const base = { ID: id, Name: service, Tags: tags, Address: address, Port: port, Meta: meta };
  const check = { CheckID: `service:${id}`, TTL: '1h', Status: health === 'maintenance' ? 'passing' : health };
  await consul.ask('PUT', '/v1/agent/service/register', health === 'unchecked' ? base : { ...base, Check: check });
  const checked = `/v1/agent/check/${health === 'critical' ? 'fail' : health === 'warning' ? 'warn' : 'pass'}`;
  if (health !== 'unchecked') await consul.ask('PUT', `${checked}/${encodeURIComponent(`service:${id}`)}`);
  await consul.ask('PUT', `/v1/agent/service/maintenance/${encodeURIComponent(id)}?enable=${health === 'maintenance'}`);
}

async function registerInCatalog(consul: TestConsul, one: TestRegistration, node: string): Promise<void> {
  const { service, id, tags = [], meta = {}, address, port, health = 'passing', nodeAddress = '127.0.0.1', nodeHealth } = one;
  const [own, maintenance] = [`service:${id}`, `_service_maintenance:${id}`];
  const [checkId, stale] = health === 'maintenance' ? [maintenance, own] : [own, maintenance];
  const status = health === 'maintenance' ? 'critical' : health;
  const check = (name: string, Status: string, ServiceID?: string) => ({ Node: node, CheckID: name, Name: name, Status, ServiceID });
  await consul.ask('PUT', '/v1/catalog/register', {
    Node: node,
    Address: nodeAddress,
    Service: { ID: id, Service: service, Tags: tags, Address: address, Port: port, Meta: meta },
    ...(health !== 'unchecked' && { Check: check(checkId, status, id) }),
  });
  if (nodeHealth !== undefined)
    await consul.ask('PUT', '/v1/catalog/register', { Node: node, Address: nodeAddress, Check: check('node-check', nodeHealth) });
  await consul.ask('PUT', '/v1/catalog/deregister', { Node: node, CheckID: stale });
}
