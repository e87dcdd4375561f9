import { networkInterfaces } from 'node:os';
import type { ConsulAgent } from '../consul/agent.ts';
import { differingParts } from '../consul/registered.ts';
import { META, type Registered, type Registration } from '../consul/registration.ts';
import type { Problem } from '../model/problem.ts';
import { readAgentFacts } from './agent-facts.ts';
import type { DockerEngine } from './docker-engine.ts';
import { drainsOf } from './hold.ts';
import { createHost, type Host, type HostPolicy } from './host.ts';
import { afterStep, decide, type Step } from './reconcile.ts';
import { hasBareImage } from './service-name.ts';
import { askFor, NOTHING_ASKED } from './web-answers.ts';

/** Both sides as they are at one moment. */
export interface Snapshot {
  readonly host: Host;
  readonly registered: ReadonlyMap<string, Registered>;
  /** Whether an address is, or with `-internal` may have been, one of this host. */
  readonly hasAddress: (address: string) => boolean;
}

/** Reads both sides once. @throws OperationError when one of them cannot be read. */
export async function takeSnapshot(engine: DockerEngine, agent: ConsulAgent, policy: HostPolicy, signal: AbortSignal): Promise<Snapshot> {
  const host = createHost(policy, () => {});
  const facts = await readAgentFacts(agent, signal);
  host.setAgent(facts);
  const listed = await engine.list(policy.deregister === 'on-success', signal);
  host.listed(listed.map(({ id }) => id));
  for (const { id } of listed) {
    const container = await engine.inspect(id, signal);
    const asked = { order: 1, ms: Date.now() };
    if (container === undefined) host.learn(id, { kind: 'missing', asked });
    else {
      const imageName = hasBareImage(container) ? await engine.imageName(container.imageId, signal) : undefined;
      const webAnswers = await askFor(policy.extraTags, container.inspection, NOTHING_ASKED, signal);
      host.learn(id, { kind: 'inspected', container, asked }, { imageName, webAnswers });
    }
  }
  const registered = await agent.registered(signal);
  for (const { container, sent } of drainsOf(registered.values(), policy.owner, Date.now()))
    host.learn(container, { kind: 'killed', ...sent });
  const interfaces = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
  const addresses = new Set([policy.hostAddress, facts.address, ...Object.values(facts.otherAddresses), ...interfaces]);
  return { host, registered, hasAddress: (address) => policy.isInternal || addresses.has(address) };
}

/** One write, and what the agent has of the service before it. */
export interface PlannedWrite {
  readonly id: string;
  readonly step: Step;
  readonly actual?: Registered;
}

/** Pure: every write that a registrator would make now, and what it could not. */
export function planWrites(
  { host, registered }: Snapshot,
  owner: string,
): { writes: readonly PlannedWrite[]; problems: readonly Problem[] } {
  const writes: PlannedWrite[] = [];
  const problems: Problem[] = [...host.problems()];
  for (const id of new Set([...host.wantedIds(), ...registered.keys()])) {
    let actual = registered.get(id);
    for (;;) {
      const decision = decide(host.verdict(id, actual), actual, owner);
      if (decision.kind === 'refused') problems.push(decision.problem);
      if (decision.kind !== 'step') break;
      writes.push({ id, step: decision.step, ...(actual !== undefined && { actual }) });
      actual = afterStep(decision.step, actual);
    }
  }
  return { writes, problems };
}

/** A step as a line of `--dry-run`. */
export function stepLine({ id, step, actual }: PlannedWrite): string {
  switch (step.kind) {
    case 'register': {
      const { name, address, port, tags } = step.registration;
      const held = step.hold === undefined ? '' : `; ${step.hold}`;
      return `register ${id}: ${name} ${address}:${port} [${tags.join(', ')}] (${whyRegister(step.registration, actual)}${held})`;
    }
    case 'deregister':
    case 'release':
      return `${step.kind} ${id}`;
    case 'deregister check':
      return `deregister check ${step.checkId}`;
    case 'tell status':
      return `tell status ${step.status} of ${step.checkId}`;
    case 'hold':
      return `hold ${id}: ${step.reason}`;
  }
}

function whyRegister(wanted: Registration, actual: Registered | undefined): string {
  if (actual === undefined) return 'new';
  const differs = `differs: ${differingParts(wanted, actual).join(', ')}`;
  return actual.meta[META.owner] === undefined ? `taken over; ${differs}` : differs;
}

/** Something an earlier registrator left: taken over for a container that wants its ID, or of no container here. */
export type Leftover =
  | { readonly kind: 'take'; readonly actual: Registered; readonly registration: Registration }
  | { readonly kind: 'remove'; readonly actual: Registered }
  /** By its ID an earlier registrator's, by its address not of this host. */
  | { readonly kind: 'leave'; readonly actual: Registered };

/** gliderlabs registrator's IDs: its host name, which was its container's ID where nobody gave it one; container; port. */
const LEFT_ID = /^([^:]+):[a-zA-Z0-9][a-zA-Z0-9_.-]*:\d+(?::udp)?$/;

/** Pure: the services that nobody owns and that an earlier registrator of this host must have registered. */
export function findLeftovers({ host, registered, hasAddress }: Snapshot, hostName: string): readonly Leftover[] {
  return [...registered.values()].flatMap((actual): Leftover[] => {
    if (actual.meta[META.owner] !== undefined) return [];
    const verdict = host.verdict(actual.id, actual);
    if (verdict.kind === 'wanted') return [{ kind: 'take', actual, registration: verdict.registration }];
    const left = LEFT_ID.exec(actual.id)?.[1];
    if (left !== hostName && !/^[0-9a-f]{12}$/.test(left ?? '')) return [];
    return [{ kind: actual.address === '' || hasAddress(actual.address) ? 'remove' : 'leave', actual }];
  });
}

export function leftoverLine({ kind, actual: { id, name, address, port } }: Leftover): string {
  return `${kind} ${id}: ${name} ${address}:${port} (${REASONS[kind].replace('ADDRESS', address)})`;
}

const REASONS = {
  take: 'a container here wants its ID',
  remove: 'no container here wants it',
  leave: "its address is not this host's: say -ip ADDRESS where it was, or deregister it by hand",
} as const;

/** Takes over, or removes, one leftover. */
export async function adopt(leftover: Leftover, agent: ConsulAgent, signal: AbortSignal): Promise<void> {
  if (leftover.kind === 'leave') return;
  if (leftover.kind === 'remove') return agent.deregister(leftover.actual.id, signal);
  await agent.register(leftover.registration, signal);
  const own = new Set(leftover.registration.checks.map(({ id }) => id));
  for (const checkId of leftover.actual.checks.keys()) if (!own.has(checkId)) await agent.deregisterCheck(checkId, signal);
}
