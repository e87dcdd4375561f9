import { type ConsulOptions, startConsul, type TestConsul } from './consul.ts';
import { type EdgeOptions, startEdge, type TestEdge } from './edge.ts';
import { type Fleet, type FleetInstance, startFleet } from './fleet.ts';
import { deregister, register, type TestRegistration } from './registered.ts';
import { type Answer, request } from './request.ts';
import { until } from './until.ts';

/** An instance that listens and is registered. */
export interface ServedInstance {
  readonly instance: FleetInstance;
  readonly registration: TestRegistration;
}

/** A Consul, a fleet of instances and an edge that serves them. */
export interface EdgeWorld extends AsyncDisposable {
  readonly consul: TestConsul;
  readonly fleet: Fleet;
  readonly edge: TestEdge;
  /** Starts an instance and registers it; `as` is told to Consul instead of what it is. */
  readonly serve: (
    service: string,
    id: string,
    tags: readonly string[],
    as?: Partial<TestRegistration> & { readonly kind?: 'http' | 'tcp' },
  ) => Promise<ServedInstance>;
  /** Registers it again with what is said. */
  readonly change: (one: ServedInstance, as: Partial<TestRegistration>) => Promise<ServedInstance>;
  readonly withdraw: (one: ServedInstance) => Promise<void>;
  readonly ask: (host: string, path?: string) => Promise<Answer>;
  /** `service/instance` of who answers, or the status, or the error. */
  readonly who: (host: string, path?: string) => Promise<string>;
  /** Waits until a host is answered by this. */
  readonly isAnswered: (host: string, by: string | RegExp, budgetMs?: number) => Promise<void>;
}

/** `between` may put something between the edge and Consul; it answers the address that the edge is told. */
export async function startEdgeWorld(
  options: Omit<EdgeOptions, 'consulUrl'> = {},
  between: (consul: TestConsul) => Promise<string> = async ({ url }) => url,
  consulOptions: ConsulOptions = {},
): Promise<EdgeWorld> {
  const consul = await startConsul(consulOptions);
  const fleet = startFleet();
  const edge = await startEdge({ consulUrl: await between(consul), ...options });
  const ask = (host: string, path = '/') => request({ address: edge.bind, port: edge.ports.http, host, path });
  const who = async (host: string, path?: string) => {
    const answer = await ask(host, path);
    if (answer.kind === 'error') return answer.error;
    return answer.from.service === undefined ? String(answer.status) : `${answer.from.service}/${answer.from.instance}`;
  };
  const end = async () => {
    await edge[Symbol.asyncDispose]();
    await fleet[Symbol.asyncDispose]();
    await consul[Symbol.asyncDispose]();
  };
  await until(async () => (await edge.status()).haproxy.worker, 60_000, 'the edge serves').catch(async (error: unknown) => {
    const output = edge.templater().output();
    await end();
    throw new Error(`${String(error)}\n${output}`, { cause: error });
  });
  return {
    consul,
    fleet,
    edge,
    serve: async (service, id, tags, { kind = 'http', ...as } = {}) => {
      const instance = await fleet.add({ service, id, kind });
      const registration = { service, id: `${service}-${id}`, tags, address: instance.address, port: instance.port, ...as };
      await register(consul, registration);
      return { instance, registration };
    },
    change: async ({ instance, registration }, as) => {
      const changed = { ...registration, ...as };
      await register(consul, changed);
      return { instance, registration: changed };
    },
    withdraw: ({ registration }) => deregister(consul, registration),
    ask,
    who,
    isAnswered: async (host, by, budgetMs = 15_000) => {
      await until(
        async () => (typeof by === 'string' ? (await who(host)) === by : by.test(await who(host))),
        budgetMs,
        `${host} is answered by ${by}`,
      );
    },
    [Symbol.asyncDispose]: end,
  };
}
