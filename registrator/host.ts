import { META, type Registered } from '../consul/registration.ts';
import { byteOrder } from '../model/compare.ts';
import type { Problem } from '../model/problem.ts';
import type { AgentFacts } from './agent-facts.ts';
import type { Container } from './container.ts';
import { type DescribedService, type DescribePolicy, type Description, describeContainer } from './describe.ts';
import { isLoopback } from './endpoints.ts';
import { drainHold, failedHold, PAUSED } from './hold.ts';
import { type DeregisterPolicy, learn, type Phase, phaseOf, type Stimulus, type Track, UNSEEN } from './lifecycle.ts';
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

interface Entry {
  readonly id: string;
  track: Track;
  phase: Phase;
  imageName?: string;
  webAnswers?: WebAnswers;
  /** Of the last inspection that found it running. */
  description: Description | undefined;
  claims: readonly Claim[];
}

interface Claim {
  readonly entry: Entry;
  readonly service: DescribedService;
  readonly creates: boolean;
  readonly hold?: string;
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

  const networkOwner = ({ networkMode }: Container): Container | 'not known yet' | undefined => {
    if (!networkMode.startsWith('container:')) return undefined;
    const entry = entries.get(networkMode.slice('container:'.length));
    if (entry === undefined) return isListed ? undefined : 'not known yet';
    if (entry.phase.kind === 'unknown') return 'not known yet';
    return isLive(entry.phase) ? entry.track.seen?.container : undefined;
  };

  const refreshThoseInNetworkOf = (id: string): void => {
    const mode = `container:${id}`;
    for (const entry of entries.values()) if (entry.track.seen?.container.networkMode === mode) refresh(entry, true);
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
      for (const entry of [...entries.values()]) refresh(entry, true);
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

export function isLive({ kind }: Phase): boolean {
  return kind === 'up' || kind === 'paused' || kind === 'draining';
}

/** A service of ours that no container wants. */
function verdictOfUnclaimed(entry: Entry | undefined, isKnown: boolean): Verdict {
  if (entry === undefined) return { kind: isKnown ? 'unwanted' : 'unknown' };
  if (entry.phase.kind === 'failed') return { kind: 'held', hold: failedHold(entry.phase.exitCode) };
  if (entry.phase.kind === 'gone') return { kind: 'unwanted' };
  return { kind: entry.description === undefined ? 'unknown' : 'unwanted' };
}

/** What a container wants in its phase. Who is about to end is not registered any more, and kept where it is. */
function claimsOf(entry: Entry, policy: HostPolicy): readonly Claim[] {
  const { phase, description, track } = entry;
  if (description === undefined || !(isLive(phase) || phase.kind === 'failed')) return [];
  const isAwaited = policy.register === 'healthy' && (track.seen?.container.state.health ?? 'healthy') !== 'healthy';
  const creates = (phase.kind === 'up' || phase.kind === 'paused') && !isAwaited;
  const hold = holdOf(phase);
  return description.services.map((service) => ({ entry, service, creates, ...(hold !== undefined && { hold }) }));
}

function holdOf(phase: Phase): string | undefined {
  if (phase.kind === 'draining') return drainHold(phase.sent);
  if (phase.kind === 'paused') return PAUSED;
  return phase.kind === 'failed' ? failedHold(phase.exitCode) : undefined;
}

function replaceClaims(claimsById: Map<string, readonly Claim[]>, before: readonly Claim[], after: readonly Claim[]): void {
  const gone = new Set(before);
  for (const { service } of before) {
    const { id } = service.registration;
    const left = (claimsById.get(id) ?? []).filter((claim) => !gone.has(claim));
    if (left.length > 0) claimsById.set(id, left);
    else claimsById.delete(id);
  }
  for (const claim of after) {
    const { id } = claim.service.registration;
    claimsById.set(id, [...(claimsById.get(id) ?? []), claim].sort(byRight));
  }
}

/** One ID wanted twice: the lowest port, then the older container, keeps it. */
function byRight(a: Claim, b: Claim): number {
  const [x, y] = [a.service.exposed, b.service.exposed];
  const age = (claim: Claim) => claim.entry.track.seen?.container.createdMs ?? 0;
  return x.number - y.number || byteOrder(x.protocol, y.protocol) || age(a) - age(b) || byteOrder(a.entry.id, b.entry.id);
}

function lostClaims(claims: readonly Claim[]): readonly Problem[] {
  const [owner, ...lost] = claims.map(({ entry, service }) => ({ name: entry.track.seen?.container.name ?? entry.id, service }));
  if (owner === undefined) return [];
  return lost.map(({ name, service }) => ({
    subject: name,
    option: 'ID',
    value: service.registration.id,
    reason: `port ${service.exposed.number} is not registered: port ${owner.service.exposed.number} of ${owner.name} has this ID; give each its own SERVICE_ID or SERVICE_<port>_ID`,
    related: [owner.name],
  }));
}

/** Where the agent tells others no address of this host, nobody else can reach what is registered with that. */
function unreachableHost(claims: readonly Claim[], agent: AgentFacts | undefined): readonly Problem[] {
  const address = agent?.address ?? '';
  const isNone = isLoopback(address) || address === '0.0.0.0' || address === '::';
  if (!isNone || claims.every(({ service }) => service.registration.address !== address)) return [];
  const reason =
    'the agent tells this address, which other hosts cannot reach: give -ip, or have the agent advertise an address of this host';
  return [{ subject: 'registrator', option: '-ip', value: address, reason }];
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
