import type { ConsulAgent } from '../consul/agent.ts';
import type { CheckAbilities } from './checks.ts';

/** What an agent says of itself, as far as registrations depend on it. */
export interface AgentFacts {
  /** The one it tells others. */
  readonly address: string;
  /** Its further ones, by Consul's words. */
  readonly otherAddresses: Readonly<Record<string, string>>;
  readonly abilities: CheckAbilities;
}

export async function readAgentFacts(agent: ConsulAgent, signal: AbortSignal): Promise<AgentFacts> {
  const { address, taggedAddresses, takesScripts, version } = await agent.self(signal);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const otherAddresses = Object.fromEntries(Object.entries(taggedAddresses).filter(([tag, other]) => tag !== 'lan' && other !== address));
  return { address, otherAddresses, abilities: { scripts: takesScripts, serverName: major > 1 || minor >= 10 } };
}
