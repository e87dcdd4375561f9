import { byteOrder } from '../model/compare.ts';
import type { Problem } from '../model/problem.ts';
import type { AgentFacts } from './agent-facts.ts';
import type { DescribedService, Description } from './describe.ts';
import { isLoopback } from './endpoints.ts';
import { drainHold, failedHold, PAUSED } from './hold.ts';
import { isKilled, isLive, type Phase, type Track } from './lifecycle.ts';
import type { WebAnswers } from './web-answers.ts';

/** A container, and what is known of it. */
export interface Entry {
  readonly id: string;
  track: Track;
  phase: Phase;
  imageName?: string;
  webAnswers?: WebAnswers;
  /** Of the last inspection that found it running. */
  description: Description | undefined;
  claims: readonly Claim[];
}

/** That a container wants a service ID. */
export interface Claim {
  readonly entry: Entry;
  readonly service: DescribedService;
  readonly creates: boolean;
  readonly hold?: string;
}

/** What a container wants in its phase. Who is about to end is not registered any more, and kept where it is, unless nothing can survive its end. */
export function claimsOf(entry: Entry, policy: { readonly register: 'started' | 'healthy' }): readonly Claim[] {
  const { phase, description, track } = entry;
  if (description === undefined || !(isLive(phase) || phase.kind === 'failed') || isKilled(phase)) return [];
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

export function replaceClaims(claimsById: Map<string, readonly Claim[]>, before: readonly Claim[], after: readonly Claim[]): void {
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

/** The phases that want a service ID, those that serve first. */
const BY_SERVICE: readonly Phase['kind'][] = ['up', 'paused', 'draining', 'failed'];

/** One ID wanted twice: who serves has it before who is paused, is being stopped or has failed; then the lowest port, then the older container. */
function byRight(a: Claim, b: Claim): number {
  const [x, y] = [a.service.exposed, b.service.exposed];
  const age = (claim: Claim) => claim.entry.track.seen?.container.createdMs ?? 0;
  const rank = ({ entry }: Claim) => BY_SERVICE.indexOf(entry.phase.kind);
  return (
    rank(a) - rank(b) || x.number - y.number || byteOrder(x.protocol, y.protocol) || age(a) - age(b) || byteOrder(a.entry.id, b.entry.id)
  );
}

export function lostClaims(claims: readonly Claim[]): readonly Problem[] {
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
export function unreachableHost(claims: readonly Claim[], agent: AgentFacts | undefined): readonly Problem[] {
  const address = agent?.address ?? '';
  const isNone = isLoopback(address) || address === '0.0.0.0' || address === '::';
  if (!isNone || claims.every(({ service }) => service.registration.address !== address)) return [];
  const reason =
    'the agent tells this address, which other hosts cannot reach: give -ip, or have the agent advertise an address of this host';
  return [{ subject: 'registrator', option: '-ip', value: address, reason }];
}
