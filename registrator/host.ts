import { META, type Registered } from '../consul/registration.ts';
import type { Problem } from '../model/problem.ts';
import type { AgentFacts } from './agent-facts.ts';
import { type Claim, claimsOf, type Entry, lostClaims, replaceClaims, unreachableHost } from './claims.ts';
import type { Container } from './container.ts';
import { type DescribePolicy, type Description, describeContainer } from './describe.ts';
import { failedHold } from './hold.ts';
import { type DeregisterPolicy, isLive, learn, type Phase, phaseOf, type Stimulus, UNSEEN } from './lifecycle.ts';
import type { Verdict } from './reconcile.ts';
import { NOTHING_ASKED, type WebAnswers } from './web-answers.ts';

/** What an operator has decided. */
export interface HostPolicy extends DescribePolicy {
  readonly deregister: DeregisterPolicy;
  /** Whether a container with a HEALTHCHECK is registered when it starts, or when Docker finds it healthy. */
  readonly register: 'started' | 'healthy';
}

/** One container as /status tells it. */
export interface KnownContainer {
  readonly id: string;
  readonly name: string;
  readonly phase: Phase;
  readonly services: readonly { readonly id: string; readonly isLost: boolean }[];
  readonly why?: string;
}

/** What was looked up beside an inspection; what is not told stays as it was. */
export interface Lookups {
  readonly imageName?: string | undefined;
  readonly webAnswers?: WebAnswers;
}

/** All containers of this host: what is known of each, and what they want to be in Consul. No I/O. */
export interface Host {
  /** Learns something of a container. Unheard of ones begin to be known. */
  readonly learn: (id: string, stimulus: Stimulus, more?: Lookups) => void;
  /** Containers that the engine listed; from now on, whatever is not known is not there. */
  readonly listed: (ids: readonly string[]) => void;
  /** @throws AggregateError when all are told, with what describing one of them threw: those stay as they were. */
  readonly setAgent: (agent: AgentFacts) => void;
  /** What a service ID should be; `actual` is what the agent has there. */
  readonly verdict: (serviceId: string, actual: Registered | undefined) => Verdict;
  readonly wantedIds: () => Iterable<string>;
  /** The services that a container wants now, claimed or lost. */
  readonly wantedOf: (containerId: string) => readonly string[];
  readonly container: (id: string) => Container | undefined;
  readonly phase: (id: string) => Phase | undefined;
  readonly imageName: (id: string) => string | undefined;
  readonly webAnswers: (id: string) => WebAnswers;
  readonly containerIds: () => readonly string[];
  /** Whether every container there is has been inspected once, but for those that cannot be. */
  readonly isComplete: (unreadable: ReadonlyMap<string, unknown>) => boolean;
  readonly problems: () => readonly Problem[];
  readonly status: () => readonly KnownContainer[];
}

/** `onChange` is told which container changed, and all service IDs that this concerns. */
export function createHost(policy: HostPolicy, onChange: (containerId: string, serviceIds: ReadonlySet<string>) => void): Host {
  const entries = new Map<string, Entry>();
  const claimsById = new Map<string, readonly Claim[]>();
  let agent: AgentFacts | undefined;
  let isListed = false;

  const refresh = (entry: Entry, isDescribedAnew: boolean): void => {
    entry.phase = phaseOf(entry.track, policy.deregister);
    if (isDescribedAnew) entry.description = describe(entry);
    const before = entry.claims;
    entry.claims = claimsOf(entry, policy);
    replaceClaims(claimsById, before, entry.claims);
    onChange(entry.id, new Set([...before, ...entry.claims].map(({ service }) => service.registration.id)));
    if (isOver(entry)) entries.delete(entry.id);
  };

  const describe = (entry: Entry): Description | undefined => {
    const { seen } = entry.track;
    if (seen === undefined || agent === undefined || !isLive(entry.phase)) return entry.description;
    const owner = networkOwner(seen.container);
    if (owner === 'not known yet') return undefined;
    return describeContainer(seen.container, policy, {
      agentAddress: agent.address,
      otherAddresses: agent.otherAddresses,
      abilities: agent.abilities,
      ...(owner !== undefined && { networkOwner: owner }),
      ...(entry.imageName !== undefined && { imageName: entry.imageName }),
      ...(entry.webAnswers !== undefined && { webAnswers: entry.webAnswers }),
    });
  };

  /** The container at the end of the chain: whoever joins a network joins what that one has joined. */
  const networkOwner = ({ networkMode }: Container, joined: readonly string[] = []): Container | 'not known yet' | undefined => {
    if (!networkMode.startsWith('container:')) return undefined;
    const id = networkMode.slice('container:'.length);
    const entry = entries.get(id);
    if (entry === undefined) return isListed ? undefined : 'not known yet';
    if (entry.phase.kind === 'unknown') return 'not known yet';
    const container = isLive(entry.phase) ? entry.track.seen?.container : undefined;
    const isChained = container?.networkMode.startsWith('container:') && !joined.includes(id);
    return isChained && container !== undefined ? networkOwner(container, [...joined, id]) : container;
  };

  const refreshThoseInNetworkOf = (id: string, told: ReadonlySet<string> = new Set([id])): void => {
    const mode = `container:${id}`;
    for (const entry of [...entries.values()]) {
      if (entry.track.seen?.container.networkMode !== mode || told.has(entry.id)) continue;
      refresh(entry, true);
      refreshThoseInNetworkOf(entry.id, new Set([...told, entry.id]));
    }
  };

  return {
    learn: (id, stimulus, { imageName, webAnswers } = {}) => {
      const entry = entries.get(id) ?? { id, track: UNSEEN, phase: { kind: 'unknown' }, description: undefined, claims: [] };
      entries.set(id, entry);
      if (imageName !== undefined) entry.imageName = imageName;
      if (webAnswers !== undefined) entry.webAnswers = webAnswers;
      entry.track = learn(entry.track, stimulus);
      refresh(entry, stimulus.kind === 'inspected');
      refreshThoseInNetworkOf(id);
    },
    listed: (ids) => {
      for (const id of ids)
        if (!entries.has(id)) entries.set(id, { id, track: UNSEEN, phase: { kind: 'unknown' }, description: undefined, claims: [] });
      isListed = true;
    },
    setAgent: (facts) => {
      if (JSON.stringify(facts) === JSON.stringify(agent)) return;
      agent = facts;
      const faults: unknown[] = [];
      for (const entry of [...entries.values()])
        try {
          refresh(entry, true);
        } catch (fault) {
          faults.push(fault);
        }
      if (faults.length > 0) throw new AggregateError(faults, 'containers cannot be described, which is a fault of this program');
    },
    verdict: (serviceId, actual) => {
      const [claim] = claimsById.get(serviceId) ?? [];
      if (claim !== undefined) {
        const { service, creates, hold } = claim;
        return { kind: 'wanted', registration: service.registration, creates, ...(hold !== undefined && { hold }) };
      }
      return verdictOfUnclaimed(entries.get(actual?.meta[META.container] ?? ''), isListed && agent !== undefined);
    },
    wantedIds: () => claimsById.keys(),
    wantedOf: (id) => (entries.get(id)?.claims ?? []).map(({ service }) => service.registration.id),
    container: (id) => entries.get(id)?.track.seen?.container,
    phase: (id) => entries.get(id)?.phase,
    imageName: (id) => entries.get(id)?.imageName,
    webAnswers: (id) => entries.get(id)?.webAnswers ?? NOTHING_ASKED,
    containerIds: () => [...entries.keys()],
    isComplete: (unreadable) =>
      isListed && agent !== undefined && [...entries.values()].every(({ id, phase }) => phase.kind !== 'unknown' || unreadable.has(id)),
    problems: () => [
      ...[...entries.values()].flatMap(({ description, claims }) =>
        claims.length > 0 || description?.why ? (description?.problems ?? []) : [],
      ),
      ...[...claimsById.values()].flatMap(lostClaims),
      ...(policy.hostAddress === undefined ? unreachableHost([...claimsById.values()].flat(), agent) : []),
    ],
    status: () => [...entries.values()].map((entry) => statusOf(entry, claimsById)),
  };
}

/** Ended, and the engine was asked since: nothing that is under way can say otherwise. */
function isOver({ phase, track: { seen, missing, died } }: Entry): boolean {
  if (phase.kind !== 'gone') return false;
  return missing !== undefined || (seen?.asked.order ?? 0) > (died?.order ?? 0);
}

/** A service of ours that no container wants. Two registrators of one engine, each with its own filter, are one owner: neither judges the other's. */
function verdictOfUnclaimed(entry: Entry | undefined, isKnown: boolean): Verdict {
  if (entry === undefined) return { kind: isKnown ? 'unwanted' : 'unknown' };
  if (entry.description?.isPassedOver && entry.phase.kind !== 'gone') return { kind: 'unknown' };
  if (entry.phase.kind === 'failed') return { kind: 'held', hold: failedHold(entry.phase.exitCode) };
  if (entry.phase.kind === 'gone') return { kind: 'unwanted' };
  return { kind: entry.description === undefined ? 'unknown' : 'unwanted' };
}

function statusOf(entry: Entry, claimsById: ReadonlyMap<string, readonly Claim[]>): KnownContainer {
  const why = entry.claims.length > 0 ? undefined : entry.description?.why;
  return {
    id: entry.id,
    name: entry.track.seen?.container.name ?? '',
    phase: entry.phase,
    services: entry.claims.map((claim) => {
      const { id } = claim.service.registration;
      return { id, isLost: claimsById.get(id)?.[0] !== claim };
    }),
    ...(why !== undefined && { why }),
  };
}
