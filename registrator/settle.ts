import type { ConsulAgent } from '../consul/agent.ts';
import { ConsulRefusal } from '../consul/call.ts';
import { META, type Registered, type Registration } from '../consul/registration.ts';
import { backoffMs } from '../daemon/backoff.ts';
import { keyedWork } from '../daemon/keyed-work.ts';
import type { Logger } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import type { Problem } from '../model/problem.ts';
import { type AgentFacts, readAgentFacts } from './agent-facts.ts';
import { createAgentReader } from './agent-reader.ts';
import { refusalProblem, writeStep } from './agent-write.ts';
import { drainsOf, isOurHold } from './hold.ts';
import type { Host } from './host.ts';
import type { RegistratorMetrics } from './metrics.ts';
import { createMirror } from './mirror.ts';
import { afterStep, decide, type Step, type Verdict } from './reconcile.ts';

/** The agent's side: what it has, and the work of making it what the host wants. */
export interface Settlement {
  /** A container changed; these are the service IDs that it wanted, or wants now. */
  readonly containerChanged: (containerId: string, serviceIds: ReadonlySet<string>) => void;
  /** What the agent has of a service, as far as is known. */
  readonly actual: (serviceId: string) => Registered | undefined;
  /** Our services of a container, as soon as the agent has been read. */
  readonly registeredOf: (containerId: string) => Promise<readonly Registered[]>;
  readonly lost: () => string | undefined;
  /** Service IDs that are not yet as they should be. */
  readonly pending: () => number;
  /** Writes that were refused, by service ID. */
  readonly problems: () => ReadonlyMap<string, Problem>;
  readonly lastRound: () => Round | undefined;
  /** Reads the agent again and again, and has every difference worked on. */
  readonly run: () => Promise<void>;
}

/** One comparison of all that should be with all that is. */
export interface Round {
  readonly at: string;
  readonly tookMs: number;
  readonly services: number;
  readonly differences: number;
}

export interface SettleOptions {
  readonly agent: ConsulAgent;
  readonly host: Host;
  readonly owner: string;
  readonly log: Logger;
  readonly metrics: RegistratorMetrics;
  /** The agent answered: what it says of itself. */
  readonly onAgent: (facts: AgentFacts) => void;
  readonly onProblems: () => void;
}

const WRITES_AT_ONCE = 16;
const REFUSED_RETRY_WITHIN_MS = 10_000;

/** Keeps the agent what the host wants, until the signal aborts. Each service ID is worked on by itself, one write at a time. */
export function settle({ agent, host, owner, log, metrics, onAgent, onProblems }: SettleOptions, signal: AbortSignal): Settlement {
  const known = createMirror();
  const refusals = new Map<string, Problem>();
  /** What was compared already: an agent that answers the same is known by the same values. */
  const equal = new WeakMap<Registration, Registered>();
  let lastRound: Round | undefined;
  let tellFirstRead: () => void = () => {};
  const firstRead = new Promise<void>((resolve) => (tellFirstRead = resolve));

  const reader = createAgentReader({ read, log }, signal);
  const work = keyedWork<string>(
    { width: WRITES_AT_ONCE, work: settleService, waitMs: (failures) => backoffMs(failures, 100, REFUSED_RETRY_WITHIN_MS) },
    signal,
  );

  async function settleService(id: string): Promise<'done' | 'again'> {
    while (known.isRead() && !known.isDoubtful(id) && !signal.aborted) {
      const actual = known.get(id);
      const decision = decide(verdictOf(id, actual), actual, owner);
      if (decision.kind !== 'step') {
        note(id, decision.kind === 'refused' ? decision.problem : undefined);
        return 'done';
      }
      try {
        await perform(id, decision.step);
      } catch (error) {
        return failed(id, decision.step, error);
      }
      note(id, undefined);
      tellPredecessors(decision.step);
    }
    return 'done';
  }

  /** What a container had under another ID stays until what it has now is there. */
  function verdictOf(id: string, actual: Registered | undefined): Verdict {
    const verdict = host.verdict(id, actual);
    if (verdict.kind !== 'unwanted' || actual === undefined) return verdict;
    const successors = host.wantedOf(actual.meta[META.container] ?? '');
    const isAwaited = successors.some(
      (successor) => !known.has(successor) && host.verdict(successor, undefined).kind === 'wanted' && !refusals.has(successor),
    );
    return isAwaited ? { kind: 'unknown' } : verdict;
  }

  function tellPredecessors(step: Step): void {
    if (step.kind === 'register')
      for (const id of known.idsOfContainer(step.registration.meta[META.container] ?? '')) if (id !== step.registration.id) work.tell(id);
  }

  async function perform(id: string, step: Step): Promise<void> {
    known.writing(id, performance.now());
    if (step.kind === 'release' && (await isHeldByOthers(id))) return;
    await writeStep(agent, id, step, signal);
    known.set(id, afterStep(step, known.get(id)), performance.now());
    metrics.writes.inc({ step: step.kind, outcome: 'ok' });
    log.info({ id, step: step.kind, ...(step.kind === 'register' && shown(step.registration)) }, 'written to consul');
  }

  /** An agent keeps the first reason for maintenance: it may be an operator's since before ours. */
  async function isHeldByOthers(id: string): Promise<boolean> {
    const maintenance = await agent.maintenanceOf(id, signal);
    const actual = known.get(id);
    if (maintenance === undefined || isOurHold(maintenance) || actual === undefined) return false;
    known.set(id, { ...actual, maintenance }, performance.now());
    return true;
  }

  function failed(id: string, step: Step, error: unknown): 'done' | 'again' {
    if (signal.aborted) return 'done';
    metrics.writes.inc({ step: step.kind, outcome: error instanceof ConsulRefusal ? 'refused' : 'failed' });
    if (!(error instanceof OperationError)) {
      log.error({ err: error, id, step: step.kind }, 'settling a service failed');
      return 'again';
    }
    log.warn({ err: error, id, step: step.kind }, 'consul did not take a write');
    reader.readSoon();
    if (error instanceof ConsulRefusal) {
      note(id, refusalProblem(id, step, error));
      return 'again';
    }
    // It may have been taken, or be taken yet. Nothing is decided about it before the agent has been read again, which tells what differs.
    known.doubt(id, performance.now());
    reader.lose(error.message);
    return 'done';
  }

  function note(id: string, problem: Problem | undefined): void {
    if (problem === undefined ? !refusals.delete(id) : JSON.stringify(refusals.get(id)) === JSON.stringify(problem)) return;
    if (problem !== undefined) refusals.set(id, problem);
    onProblems();
  }

  async function read(wasLost: boolean): Promise<void> {
    const begun = performance.now();
    if (wasLost) onAgent(await readAgentFacts(agent, signal));
    const registered = await agent.registered(signal);
    const isFirst = !known.isRead();
    known.take(registered, begun, work.has);
    if (isFirst)
      for (const { container, sent } of drainsOf(registered.values(), owner, Date.now()))
        host.learn(container, { kind: 'killed', ...sent });
    tellFirstRead();
    const differing = [...new Set([...host.wantedIds(), ...known.ids()])].filter((id) => !work.has(id) && differs(id));
    for (const id of differing) work.tell(id);
    const tookMs = Math.round(performance.now() - begun);
    lastRound = { at: new Date().toISOString(), tookMs, services: known.size(), differences: differing.length };
    metrics.rounds.inc();
  }

  function differs(id: string): boolean {
    const actual = known.get(id);
    const verdict = verdictOf(id, actual);
    const wanted = verdict.kind === 'wanted' && verdict.hold === undefined ? verdict.registration : undefined;
    if (wanted !== undefined && actual !== undefined && equal.get(wanted) === actual) return refusals.has(id);
    const { kind } = decide(verdict, actual, owner);
    if (wanted !== undefined && actual !== undefined && kind === 'settled') equal.set(wanted, actual);
    return kind === 'step' || (kind === 'refused') !== refusals.has(id);
  }

  return {
    containerChanged: (containerId, serviceIds) => {
      if (!known.isRead()) return;
      for (const id of new Set([...serviceIds, ...known.idsOfContainer(containerId)])) work.tell(id);
    },
    actual: known.get,
    registeredOf: async (containerId) => {
      await firstRead;
      return [...known.idsOfContainer(containerId)].flatMap((id) => known.get(id) ?? []).filter(({ meta }) => meta[META.owner] === owner);
    },
    lost: reader.lost,
    pending: work.size,
    problems: () => refusals,
    lastRound: () => lastRound,
    run: reader.run,
  };
}

const shown = ({ name, address, port }: { name: string; address: string; port: number }) => ({ service: name, address, port });
