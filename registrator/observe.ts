import type { Registered } from '../consul/registration.ts';
import { backoffMs } from '../daemon/backoff.ts';
import { innerSignal } from '../daemon/inner-signal.ts';
import { keyedWork } from '../daemon/keyed-work.ts';
import type { Logger } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { sleep } from '../daemon/sleep.ts';
import type { Container } from './container.ts';
import { type DockerEngine, type ListedContainer, tellsOtherwise } from './docker-engine.ts';
import type { DockerEvent } from './docker-event.ts';
import type { Host } from './host.ts';
import { isLive, type Moment } from './lifecycle.ts';
import type { RegistratorMetrics } from './metrics.ts';
import { earlierImageName, hasBareImage } from './service-name.ts';
import { hasFailed, type WebAnswers } from './web-answers.ts';

/** How far the host is known. */
export interface Observation {
  /** Why the engine cannot be followed now; absent when it is. */
  readonly lost: () => string | undefined;
  /** Compares the engine's list with what is known, and inspects what differs. */
  readonly resync: () => Promise<void>;
  /** Containers that cannot be inspected, and why. */
  readonly failing: () => ReadonlyMap<string, string>;
  /** Inspections under way or to come. */
  readonly pending: () => number;
  readonly run: () => Promise<void>;
}

export interface ObserveOptions {
  readonly engine: DockerEngine;
  readonly host: Host;
  /** Looks at ended containers too, for a policy that depends on how they ended. */
  readonly includesEnded: boolean;
  readonly log: Logger;
  readonly metrics: RegistratorMetrics;
  readonly onProblems: () => void;
  /** Our services of a container, as soon as the agent has been read. */
  readonly registeredOf: (containerId: string) => Promise<readonly Registered[]>;
  /** What the templates want to know beside a container, as far as it is not known yet. */
  readonly askWeb: (container: Container, known: WebAnswers) => Promise<WebAnswers>;
}

const INSPECTIONS_AT_ONCE = 16;
const RETRY_WITHIN_MS = 2_000;
const HEARTBEAT_MS = 10_000;

/** Follows a Docker engine until the signal aborts: whatever happens to it, the host is brought to what the engine says. */
export function observe(
  { engine, host, includesEnded, log, metrics, onProblems, registeredOf, askWeb }: ObserveOptions,
  signal: AbortSignal,
): Observation {
  const fingerprints = new Map<string, string>();
  const failing = new Map<string, string>();
  let order = 0;
  let lastEventMs = 1_000;
  let lost: string | undefined = 'not connected yet';
  const now = (): Moment => ({ order: ++order, ms: Date.now() });

  const looks = keyedWork<string>(
    { width: INSPECTIONS_AT_ONCE, work: lookAt, waitMs: (failures) => backoffMs(failures, 50, RETRY_WITHIN_MS) },
    signal,
  );

  async function lookAt(id: string): Promise<'done' | 'again'> {
    const asked = now();
    try {
      metrics.inspections.inc();
      const container = await engine.inspect(id, signal);
      failing.delete(id);
      if (container === undefined) {
        host.learn(id, { kind: 'missing', asked });
        return 'done';
      }
      const imageName = hasBareImage(container) ? await nameOfBareImage(container) : undefined;
      const webAnswers = container.state.isRunning ? await askWeb(container, host.webAnswers(id)) : host.webAnswers(id);
      host.learn(id, { kind: 'inspected', container, asked }, { imageName, webAnswers });
      lookAgainAfterDrain(id);
      return 'done';
    } catch (error) {
      if (signal.aborted) return 'done';
      const why = whyUnread(error);
      if (failing.get(id) !== why)
        log[error instanceof OperationError ? 'warn' : 'error'](
          { err: error, container: id },
          'container cannot be inspected, trying again',
        );
      failing.set(id, why);
      onProblems();
      return 'again';
    }
  }

  async function nameOfBareImage(container: Container): Promise<string | undefined> {
    const known = host.imageName(container.id) ?? earlierImageName(container, await registeredOf(container.id));
    return known ?? (await engine.imageName(container.imageId, signal));
  }

  /** A container that is still there when it should have ended is served again. */
  function lookAgainAfterDrain(id: string): void {
    const phase = host.phase(id);
    if (phase?.kind !== 'draining' || !Number.isFinite(phase.untilMs)) return;
    sleep(Math.max(0, phase.untilMs - Date.now()) + 1, signal).then(() => {
      if (!signal.aborted && host.phase(id)?.kind === 'draining') looks.tell(id);
    }, undefined);
  }

  function handle(event: DockerEvent, isPast: boolean): void {
    const { container: id } = event;
    lastEventMs = Math.max(lastEventMs, event.atMs);
    metrics.events.inc({ action: event.action });
    if (event.kind === 'killed') {
      const isUnseen = host.container(id) === undefined || 'signal' in (host.container(id)?.labels ?? {});
      host.learn(id, {
        kind: 'killed',
        signal: event.signal,
        sentMs: event.atMs,
        heardMs: isPast ? Math.min(event.atMs, Date.now()) : Date.now(),
      });
      if (isUnseen) looks.tell(id);
      lookAgainAfterDrain(id);
    } else if (isPast) {
      return;
    } else if (event.kind === 'died') {
      host.learn(id, { kind: 'died', heard: now() });
      looks.tell(id);
    } else if (event.action === 'start' || isLive(host.phase(id) ?? { kind: 'gone' })) {
      looks.tell(id);
    }
  }

  async function follow(): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      await sleep(backoffMs(failures, 50, RETRY_WITHIN_MS), signal);
      const connection = innerSignal(signal);
      const within = connection.signal;
      try {
        const events = await engine.events(within);
        await Promise.race([
          consume(events),
          catchUp(within)
            .then(() => (failures = 0))
            .then(() => heartbeat(within)),
        ]);
        lost = 'the engine ended the event stream';
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof OperationError)) log.error({ err: error }, 'following docker failed');
        lost = error instanceof Error ? error.message : String(error);
      } finally {
        connection.end();
      }
      if (!signal.aborted) log.warn({ docker: engine.subject, why: lost }, 'docker events lost, connecting again');
    }
  }

  async function consume(events: AsyncIterable<DockerEvent>): Promise<void> {
    for await (const event of events) handle(event, false);
  }

  /** Subscribed already, so nothing falls between. Signals are all that no inspection tells, and the engine remembers. */
  async function catchUp(within: AbortSignal): Promise<void> {
    for (const event of await engine.pastEvents(lastEventMs, within)) handle(event, true);
    const listed = await engine.list(includesEnded, within);
    host.listed(listed.map(({ id }) => id));
    remember(listed);
    for (const id of new Set([...host.containerIds(), ...listed.map((container) => container.id)])) looks.tell(id);
    if (lost !== undefined) log.info({ docker: engine.subject, containers: listed.length }, 'following docker');
    lost = undefined;
  }

  async function heartbeat(within: AbortSignal): Promise<void> {
    while (!within.aborted) {
      await sleep(HEARTBEAT_MS, within);
      if (!within.aborted) await engine.ping(within);
    }
  }

  function remember(listed: readonly ListedContainer[]): void {
    fingerprints.clear();
    for (const { id, fingerprint } of listed) fingerprints.set(id, fingerprint);
  }

  async function resync(): Promise<void> {
    if (lost !== undefined) return;
    const before = new Map(fingerprints);
    const listed = await engine.list(includesEnded, signal);
    remember(listed);
    const there = new Set(listed.map(({ id }) => id));
    const differing = listed.filter(
      (one) => hasChanged(one, before.get(one.id), host.container(one.id)) || hasFailed(host.webAnswers(one.id)),
    );
    const gone = host.containerIds().filter((id) => !there.has(id));
    for (const id of [...differing.map((container) => container.id), ...gone]) looks.tell(id);
  }

  return { lost: () => lost, resync, failing: () => failing, pending: () => looks.size(), run: follow };
}

/** Who has come since the last list is compared with its inspection: what happened in between may have been lost as well. */
function hasChanged(listed: ListedContainer, before: string | undefined, container: Container | undefined): boolean {
  if (container === undefined) return true;
  return before === undefined ? tellsOtherwise(listed, container) : before !== listed.fingerprint;
}

function whyUnread(error: unknown): string {
  const told = error instanceof Error ? error.message : String(error);
  return error instanceof OperationError ? told : `it cannot be described, which is a fault of this program: ${told}`;
}
