import type { TestConsul } from './consul.ts';

/** A service as its agent tells it. */
export interface AgentService {
  readonly ID: string;
  readonly Service: string;
  readonly Address: string;
  readonly Port: number;
  readonly TaggedAddresses?: Readonly<Record<string, { readonly Address: string; readonly Port: number }>>;
  readonly Tags: readonly string[];
  readonly Meta: Readonly<Record<string, string>>;
  readonly Weights: { readonly Passing: number; readonly Warning: number };
}

interface AgentCheck {
  readonly CheckID: string;
  readonly ServiceID: string;
  readonly Status: string;
  readonly Notes: string;
}

/** What an agent holds, as a test looks at it. */
export function agentView(consul: Pick<TestConsul, 'ask'>) {
  const services = async () => (await consul.ask('GET', '/v1/agent/services')) as Record<string, AgentService>;
  const checks = async () => Object.values((await consul.ask('GET', '/v1/agent/checks')) as Record<string, AgentCheck>);
  return {
    services,
    service: async (id: string): Promise<AgentService | undefined> => (await services())[id],
    ids: async (): Promise<readonly string[]> => Object.keys(await services()).sort(),
    checksOf: async (id: string): Promise<readonly AgentCheck[]> => (await checks()).filter(({ ServiceID }) => ServiceID === id),
    /** The worst of its checks; `none` where it is not registered. */
    statusOf: async (id: string): Promise<string> => {
      if ((await services())[id] === undefined) return 'none';
      const own = (await checks()).filter(({ ServiceID }) => ServiceID === id).map(({ Status }) => Status);
      if (own.length === 0 && (await services())[id] === undefined) return 'none'; // deregistered between the two questions
      return ['critical', 'warning'].find((status) => own.includes(status)) ?? 'passing';
    },
    register: (body: object) => consul.ask('PUT', '/v1/agent/service/register', body),
    maintain: (id: string, isOn: boolean) =>
      consul.ask('PUT', `/v1/agent/service/maintenance/${encodeURIComponent(id)}?enable=${isOn}&reason=by+hand`),
  };
}
