import type { ConsulAgent } from '../consul/agent.ts';
import { ConsulRefusal } from '../consul/call.ts';
import { META, type Registered } from '../consul/registration.ts';
import { backoffMs } from '../daemon/backoff.ts';
import { keyedWork } from '../daemon/keyed-work.ts';
import type { Logger } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { sleep } from '../daemon/sleep.ts';
import type { Problem } from '../model/problem.ts';
import type { AgentFacts, Host } from './host.ts';
import type { RegistratorMetrics } from './metrics.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { afterStep, decide, HOLD_MARK, type Step, type Verdict } from './reconcile.ts';

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
const UNREACHABLE_RETRY_WITHIN_MS = 2_000;
/** The agent is read this often, milliseconds; less often where reading is so dear that it would take more than a hundredth of the time. */
const READ_EVERY_MS = 2_000;
const READ_SHARE = 100;
const READ_AGAIN_MS = 50;

/** Keeps the agent what the host wants, until the signal aborts. Each service ID is worked on by itself, one write at a time. */
export function settle({ agent, host, owner, log, metrics, onAgent, onProblems }: SettleOptions, signal: AbortSignal): Settlement {
  let known: Mirror | undefined;
  let lost: string | undefined = 'not connected yet';
  let lastRound: Round | undefined;
  let readSoon: () => void = () => {};
  let tellFirstRead: () => void = () => {};
  const firstRead = new Promise<void>((resolve) => (tellFirstRead = resolve));
  /** When each ID was last written to; a read that began before may not know. */
  const written = new Map<string, number>();
  const refusals = new Map<string, Problem>();

  const work = keyedWork<string>(
    { width: WRITES_AT_ONCE, work: settleService, waitMs: (failures) => backoffMs(failures, 100, REFUSED_RETRY_WITHIN_MS) },
    signal,
  );

  async function settleService(id: string): Promise<'done' | 'again'> {
    while (known !== undefined && !signal.aborted) {
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
      (successor) => !known?.has(successor) && host.verdict(successor, undefined).kind === 'wanted' && !refusals.has(successor),
    );
    return isAwaited ? { kind: 'unknown' } : verdict;
  }

  function tellPredecessors(step: Step): void {
    if (step.kind === 'register')
      for (const id of known?.idsOfContainer(step.registration.meta[META.container] ?? '') ?? [])
        if (id !== step.registration.id) work.tell(id);
  }

  async function perform(id: string, step: Step): Promise<void> {
    written.set(id, performance.now());
    if (step.kind === 'release' && (await isHeldByOthers(id))) return;
    await write(agent, id, step, signal);
    written.set(id, performance.now());
    const after = afterStep(step, known?.get(id));
    known?.set(id, after);
    metrics.writes.inc({ step: step.kind, outcome: 'ok' });
    log.info({ id, step: step.kind, ...(step.kind === 'register' && shown(step.registration)) }, 'written to consul');
  }

  /** An agent keeps the first reason for maintenance: it may be an operator's since before ours. */
  async function isHeldByOthers(id: string): Promise<boolean> {
    const maintenance = await agent.maintenanceOf(id, signal);
    const actual = known?.get(id);
    if (maintenance === undefined || maintenance.startsWith(HOLD_MARK) || actual === undefined) return false;
    known?.set(id, { ...actual, maintenance });
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
    if (!(error instanceof ConsulRefusal)) lost = error.message;
    else note(id, refusalProblem(id, step, error));
    readSoon();
    // Who does not answer is asked by the reader, and everything that differs is told again when he answers.
    return error instanceof ConsulRefusal ? 'again' : 'done';
  }

  function note(id: string, problem: Problem | undefined): void {
    if (problem === undefined ? !refusals.delete(id) : JSON.stringify(refusals.get(id)) === JSON.stringify(problem)) return;
    if (problem !== undefined) refusals.set(id, problem);
    onProblems();
  }

  async function readRound(): Promise<number> {
    const begun = performance.now();
    if (lost !== undefined) onAgent(await agentFacts(agent, signal));
    const read = await agent.registered(signal);
    if (lost !== undefined) log.info('following consul');
    lost = undefined;
    known = createMirror(merged(known, read, (id) => work.has(id) || (written.get(id) ?? 0) >= begun));
    tellFirstRead();
    for (const [id, at] of written) if (at < begun && !work.has(id)) written.delete(id);
    const differing = [...new Set([...host.wantedIds(), ...known.ids()])].filter((id) => !work.has(id) && differs(id));
    for (const id of differing) work.tell(id);
    const tookMs = performance.now() - begun;
    lastRound = { at: new Date().toISOString(), tookMs: Math.round(tookMs), services: known.size(), differences: differing.length };
    metrics.rounds.inc();
    return tookMs;
  }

  function differs(id: string): boolean {
    const actual = known?.get(id);
    const { kind } = decide(verdictOf(id, actual), actual, owner);
    return kind === 'step' || (kind === 'refused') !== refusals.has(id);
  }

  /** Ends early when a write did not get through, though not at once. */
  async function untilNextRead(waitMs: number): Promise<void> {
    const wake = new AbortController();
    readSoon = () => wake.abort();
    signal.addEventListener('abort', readSoon);
    await sleep(waitMs, wake.signal);
    signal.removeEventListener('abort', readSoon);
    if (wake.signal.aborted) await sleep(READ_AGAIN_MS, signal);
  }

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      let waitMs = READ_EVERY_MS;
      try {
        waitMs = Math.max(READ_EVERY_MS, READ_SHARE * (await readRound()));
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        waitMs = backoffMs(failures, 50, UNREACHABLE_RETRY_WITHIN_MS);
        const why = error instanceof Error ? error.message : String(error);
        if (!(error instanceof OperationError)) log.error({ err: error }, 'reading consul failed');
        else if (lost !== why) log.warn({ why }, 'consul cannot be read, trying again');
        lost = why;
      }
      await untilNextRead(waitMs);
    }
  }

  return {
    containerChanged: (containerId, serviceIds) => {
      if (known === undefined) return;
      for (const id of new Set([...serviceIds, ...known.idsOfContainer(containerId)])) work.tell(id);
    },
    actual: (id) => known?.get(id),
    registeredOf: async (containerId) => {
      await firstRead;
      return [...(known?.idsOfContainer(containerId) ?? [])]
        .flatMap((id) => known?.get(id) ?? [])
        .filter(({ meta }) => meta[META.owner] === owner);
    },
    lost: () => lost,
    pending: () => work.size(),
    problems: () => refusals,
    lastRound: () => lastRound,
    run,
  };
}

function write(agent: ConsulAgent, id: string, step: Step, signal: AbortSignal): Promise<void> {
  switch (step.kind) {
    case 'register':
      return agent.register(step.registration, signal);
    case 'deregister':
      return agent.deregister(id, signal);
    case 'deregister check':
      return agent.deregisterCheck(step.checkId, signal);
    case 'tell status':
      return agent.tellStatus(
        step.checkId,
        step.status,
        `Docker finds the container ${step.status === 'passing' ? 'healthy' : 'not healthy'}`,
        signal,
      );
    case 'hold':
      return agent.maintain(id, step.reason, signal);
    case 'release':
      return agent.maintain(id, undefined, signal);
  }
}

const shown = ({ name, address, port }: { name: string; address: string; port: number }) => ({ service: name, address, port });

function refusalProblem(id: string, step: Step, error: ConsulRefusal): Problem {
  const remedy = error.isForbidden ? 'the token needs service:write for this service (and agent:read)' : 'it is tried again';
  return {
    subject: step.kind === 'register' ? step.registration.name : id,
    option: 'Consul',
    value: id,
    reason: `${step.kind} was refused: ${error.hint ?? error.message}; ${remedy}`,
  };
}

/** What was read, but for what was written meanwhile. */
function merged(
  before: Mirror | undefined,
  read: ReadonlyMap<string, Registered>,
  isNewer: (id: string) => boolean,
): ReadonlyMap<string, Registered> {
  if (before === undefined) return read;
  const after = new Map(read);
  for (const id of new Set([...before.ids(), ...read.keys()])) {
    if (!isNewer(id)) continue;
    const kept = before.get(id);
    if (kept === undefined) after.delete(id);
    else after.set(id, kept);
  }
  return after;
}

export async function agentFacts(agent: ConsulAgent, signal: AbortSignal): Promise<AgentFacts> {
  const { address, takesScripts, version } = await agent.self(signal);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return { address, abilities: { scripts: takesScripts, serverName: major > 1 || minor >= 10 } };
}
