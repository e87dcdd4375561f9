import type { TestConsul } from '../../harness/consul.ts';
import type { Fleet, FleetInstance } from '../../harness/fleet.ts';
import { deregister, register, setKey, type TestRegistration } from '../../harness/registered.ts';
import type { CaseInstance, CaseService } from './case.ts';

interface Entry {
  readonly consulId: string;
  readonly node: string | undefined;
  instance: FleetInstance;
  readonly kind: 'http' | 'tcp';
  gone: boolean;
}

/** What a case has put into Consul: services with instances that listen, and keys. */
export interface CaseCatalog {
  /** Registers a service, or registers it again with what changed. */
  readonly register: (service: CaseService) => Promise<void>;
  /** `name` for a whole service, `name/id` for an instance. The instance keeps listening, as a drained one would. */
  readonly deregister: (which: string) => Promise<void>;
  readonly instance: (key: string) => FleetInstance;
  readonly instancesOf: (service: string) => readonly FleetInstance[];
  /** Has an instance that was stopped listen again where it did. */
  readonly start: (key: string) => Promise<void>;
  readonly setKey: (key: string, value: string | null) => Promise<void>;
  /** Takes everything out of Consul, then ends the instances. */
  readonly clear: () => Promise<void>;
}

let registered = 0;

export function createCaseCatalog(consul: TestConsul, fleet: Fleet): CaseCatalog {
  const entries = new Map<string, Entry>();
  const listening = new Set<FleetInstance>();
  const keys = new Set<string>();

  async function listener(service: string, id: string, { kind = 'http', does, listen }: CaseInstance): Promise<FleetInstance> {
    const port = 18_000 + (registered % 2_000);
    const where = { port, ...(listen !== undefined && { address: listen }), ...(does !== undefined && { does }) };
    const instance = await fleet.add({ service, id, kind, ...where });
    listening.add(instance);
    return instance;
  }

  async function registerInstance(service: string, id: string, wanted: CaseInstance): Promise<void> {
    const key = `${service}/${id}`;
    const known = entries.get(key);
    registered += 1;
    const instance = known === undefined || wanted.move === true ? await listener(service, id, wanted) : known.instance;
    const consulId = known?.consulId ?? wanted.consulId ?? `edge-host:${id}-${registered}:${instance.port}`;
    entries.set(key, { consulId, node: wanted.node, instance, kind: wanted.kind ?? 'http', gone: false });
    await register(consul, registrationOf(service, consulId, wanted, instance));
  }

  function entry(key: string): Entry {
    const found = entries.get(key);
    if (found === undefined) throw new Error(`the case names ${key}, which it did not register`);
    return found;
  }

  async function takeOut(of: Entry): Promise<void> {
    if (!of.gone) await deregister(consul, { id: of.consulId, ...(of.node !== undefined && { node: of.node }) });
    of.gone = true;
  }

  return {
    register: async (service) => {
      for (const { id, ...wanted } of instancesOf(service)) await registerInstance(service.name, id, wanted);
    },
    deregister: async (which) => {
      for (const [key, of] of entries) if (key === which || key.startsWith(`${which}/`)) await takeOut(of);
    },
    instance: (key) => entry(key).instance,
    instancesOf: (service) => [...entries].filter(([key]) => key.startsWith(`${service}/`)).map(([, { instance }]) => instance),
    start: async (key) => {
      const of = entry(key);
      const { service, id, does, address, port } = of.instance;
      of.instance = await fleet.add({ service, id, kind: of.kind, does, address, port });
      listening.add(of.instance);
    },
    setKey: async (key, value) => {
      keys.add(key);
      await setKey(consul, key, value);
    },
    clear: async () => {
      for (const of of entries.values()) await takeOut(of);
      for (const key of keys) await setKey(consul, key, null);
      await Promise.all([...listening].map((instance) => instance.stop()));
      entries.clear();
      keys.clear();
      listening.clear();
    },
  };
}

function instancesOf({ name: _, instances = 1, ...common }: CaseService): ({ id: string } & CaseInstance)[] {
  const list =
    typeof instances === 'number' ? Array.from({ length: instances }, (_, i) => ({ id: String.fromCharCode(97 + i) })) : instances;
  return list.map((instance) => ({ ...common, ...instance }));
}

function registrationOf(service: string, id: string, wanted: CaseInstance, instance: FleetInstance): TestRegistration {
  const { tags, meta, health, node, nodeHealth, address, port } = wanted;
  const nodeAddress = wanted.nodeAddress === '{listen}' ? instance.address : wanted.nodeAddress;
  return {
    service,
    id,
    address: address ?? instance.address,
    port: port ?? instance.port,
    ...(tags !== undefined && { tags }),
    ...(meta !== undefined && { meta }),
    ...(health !== undefined && { health }),
    ...(node !== undefined && { node }),
    ...(nodeAddress !== undefined && { nodeAddress }),
    ...(nodeHealth !== undefined && { nodeHealth }),
  };
}
