import { isRegistered, registeredAs } from '../consul/registered.ts';
import { type CheckStatus, META, type Registered, type Registration } from '../consul/registration.ts';
import type { Problem } from '../model/problem.ts';
import { isOurHold } from './hold.ts';

/** What a service ID should be in Consul. */
export type Verdict =
  /** Some container here wants it. */
  | {
      readonly kind: 'wanted';
      readonly registration: Registration;
      /** Registers it where it is not; false for one that is only kept. */
      readonly creates: boolean;
      /** Why it gets nothing new; absent where it does. */
      readonly hold?: string;
    }
  /** What is there stays, and gets nothing new. */
  | { readonly kind: 'held'; readonly hold: string }
  /** It is not known yet whether a container wants it. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unwanted' };

/** One write to the agent. */
export type Step =
  /** With a hold: in maintenance from the first moment. */
  | { readonly kind: 'register'; readonly registration: Registration; readonly hold?: string }
  | { readonly kind: 'deregister' }
  | { readonly kind: 'deregister check'; readonly checkId: string }
  | { readonly kind: 'tell status'; readonly checkId: string; readonly status: CheckStatus }
  /** Maintenance, on for a reason or off. */
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'release' };

export type Decision =
  | { readonly kind: 'settled' }
  | { readonly kind: 'step'; readonly step: Step }
  | { readonly kind: 'refused'; readonly problem: Problem };

/**
 * Pure: the next write that brings a service ID nearer to what it should be.
 *
 *   should be    the agent has                         next
 *   ----------   -----------------------------------   -------------------------------------------------
 *   wanted       nothing                               register, if it is one to create; in maintenance, if it gets nothing new
 *                another owner's                       refused
 *                nobody's, of equal name and port      register: taken over from gliderlabs registrator
 *                nobody's, of another name or port     refused
 *                ours                                  hold, register, deregister a check, tell a status, release: what differs
 *   held         ours                                  hold
 *   unwanted     ours                                  deregister
 *   (any other)                                        settled
 */
export function decide(verdict: Verdict, actual: Registered | undefined, owner: string): Decision {
  if (verdict.kind === 'wanted') return decideWanted(verdict, actual, owner);
  if (verdict.kind === 'unknown' || actual?.meta[META.owner] !== owner) return { kind: 'settled' };
  if (verdict.kind === 'unwanted') return { kind: 'step', step: { kind: 'deregister' } };
  return actual.maintenance === undefined ? { kind: 'step', step: { kind: 'hold', reason: verdict.hold } } : { kind: 'settled' };
}

function decideWanted(verdict: Extract<Verdict, { kind: 'wanted' }>, actual: Registered | undefined, owner: string): Decision {
  const { registration, creates, hold } = verdict;
  if (actual === undefined) {
    const step = { kind: 'register', registration, ...(hold !== undefined && { hold }) } as const;
    return creates ? { kind: 'step', step } : { kind: 'settled' };
  }
  const problem = ownershipProblem(registration, actual, owner);
  if (problem !== undefined) return { kind: 'refused', problem };
  const step = stepOfOurs(registration, actual, hold);
  return step === undefined ? { kind: 'settled' } : { kind: 'step', step };
}

function ownershipProblem(wanted: Registration, actual: Registered, owner: string): Problem | undefined {
  const holder = actual.meta[META.owner];
  if (holder === owner) return undefined;
  const subject = wanted.name;
  const about = { subject, option: 'ID', value: wanted.id };
  if (holder !== undefined) {
    return {
      ...about,
      reason: `another registrator (${holder}) holds this ID: give the container another name or SERVICE_ID, stop the other, or say --owner where it was this host's`,
      related: [holder],
    };
  }
  if (actual.name === wanted.name && actual.port === wanted.port) return undefined;
  const reason = `this ID is registered as ${actual.name} on port ${actual.port}, not by us: --adopt=take takes it over, or give the container another SERVICE_ID`;
  return { ...about, reason, related: [actual.name] };
}

/** Out of service first, into service last. */
function stepOfOurs(wanted: Registration, actual: Registered, hold: string | undefined): Step | undefined {
  if (hold !== undefined && actual.maintenance === undefined) return { kind: 'hold', reason: hold };
  if (!isRegistered(wanted, actual)) return { kind: 'register', registration: wanted };
  const own = new Set(wanted.checks.map(({ id }) => id));
  const stale = [...actual.checks].find(([id, { digest }]) => digest !== undefined && !own.has(id));
  if (stale !== undefined) return { kind: 'deregister check', checkId: stale[0] };
  const told = wanted.checks.find(({ id, probe, status }) => probe.kind === 'reported' && actual.checks.get(id)?.status !== status);
  if (told?.status !== undefined) return { kind: 'tell status', checkId: told.id, status: told.status };
  return hold === undefined && actual.maintenance !== undefined && isOurHold(actual.maintenance) ? { kind: 'release' } : undefined;
}

/** Pure: what the agent holds of the service once the step is done. */
export function afterStep(step: Step, actual: Registered | undefined): Registered | undefined {
  if (step.kind === 'register')
    return { ...registeredAs(step.registration, actual), ...(step.hold !== undefined && { maintenance: step.hold }) };
  return actual === undefined ? undefined : afterChange(step, actual);
}

function afterChange(step: Exclude<Step, { kind: 'register' }>, actual: Registered): Registered | undefined {
  const { maintenance: _, ...released } = actual;
  switch (step.kind) {
    case 'deregister':
      return undefined;
    case 'deregister check':
      return { ...actual, checks: new Map([...actual.checks].filter(([id]) => id !== step.checkId)) };
    case 'tell status':
      return {
        ...actual,
        checks: new Map([...actual.checks, [step.checkId, { ...actual.checks.get(step.checkId), status: step.status }]]),
      };
    case 'hold':
      return { ...actual, maintenance: step.reason };
    case 'release':
      return released;
  }
}
