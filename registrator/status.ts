import { type ProblemBook, toldProblem } from '../daemon/problem-book.ts';
import type { DockerEngine } from './docker-engine.ts';
import type { Host, KnownContainer } from './host.ts';
import type { Phase } from './lifecycle.ts';
import type { Observation } from './observe.ts';
import type { Verdict } from './reconcile.ts';
import type { Settlement } from './settle.ts';

/** The JSON of `GET /status`. */
export function statusOf({
  owner,
  engine,
  consul,
  host,
  settlement,
  observation,
  book,
}: {
  readonly owner: string;
  readonly engine: DockerEngine;
  readonly consul: string;
  readonly host: Host;
  readonly settlement: Settlement;
  readonly observation: Observation;
  readonly book: ProblemBook;
}): object {
  return {
    owner,
    docker: connection(engine.subject, observation.lost()),
    consul: connection(consul, settlement.lost()),
    problems: book.list().map(toldProblem),
    holds: [],
    lastRound: settlement.lastRound() ?? null,
    containers: host.status().map((container) => containerStatus(container, { host, settlement, observation })),
  };
}

interface Sides {
  readonly host: Pick<Host, 'verdict'>;
  readonly settlement: Pick<Settlement, 'actual' | 'problems' | 'lost'>;
  readonly observation: Pick<Observation, 'failing'>;
}

function connection(subject: string, lost: string | undefined): object {
  return { subject, state: lost === undefined ? 'followed' : 'lost', ...(lost !== undefined && { why: lost }) };
}

/** The services that containers want: all, those that cannot be registered, those in maintenance. */
export function countServices({ host, settlement }: { host: Pick<Host, 'status'>; settlement: Pick<Settlement, 'actual' | 'problems'> }) {
  const services = host.status().flatMap((container) => container.services);
  const refusals = settlement.problems();
  return {
    wanted: services.length,
    refused: services.filter(({ id, isLost }) => isLost || refusals.has(id)).length,
    held: services.filter(({ id, isLost }) => !isLost && settlement.actual(id)?.maintenance !== undefined).length,
  };
}

/** Pure: a container, its services as the agent has them, and for whatever is not registered why not. */
export function containerStatus(container: KnownContainer, sides: Sides): object {
  const { id, name, phase, services } = container;
  const why = sides.observation.failing().get(id) ?? (services.length === 0 ? whyNone(container, sides) : undefined);
  return {
    id,
    name,
    phase: phase.kind,
    ...(why !== undefined && { why }),
    services: services.map((service) => serviceStatus(service, container, sides)),
  };
}

function whyNone({ phase, why }: KnownContainer, { settlement }: Sides): string {
  if (why !== undefined) return why;
  switch (phase.kind) {
    case 'unknown':
      return 'it has not been inspected yet';
    case 'draining':
      return 'it is being killed';
    case 'gone':
    case 'failed':
      return 'it has ended';
    case 'up':
    case 'paused': {
      const lost = settlement.lost();
      return lost === undefined ? 'the container whose network it uses is not known yet' : `Consul has not been read yet: ${lost}`;
    }
  }
}

function serviceStatus({ id, isLost }: KnownContainer['services'][number], { phase }: KnownContainer, { host, settlement }: Sides): object {
  if (isLost) return { id, state: 'refused', why: 'another port or container has this ID' };
  const refused = settlement.problems().get(id);
  if (refused !== undefined) return { id, state: 'refused', why: refused.reason };
  const actual = settlement.actual(id);
  if (actual === undefined)
    return { id, state: 'not registered', why: whyNotRegistered(host.verdict(id, undefined), phase, settlement.lost()) };
  const { name, address, port, tags, maintenance } = actual;
  return {
    id,
    state: maintenance === undefined ? 'registered' : 'in maintenance',
    name,
    address,
    port,
    tags,
    ...(maintenance !== undefined && { why: maintenance }),
  };
}

function whyNotRegistered(verdict: Verdict, phase: Phase, lost: string | undefined): string {
  const isCreated = verdict.kind !== 'wanted' || verdict.creates;
  if (!isCreated && phase.kind === 'draining') return 'it is being stopped';
  if (!isCreated && phase.kind === 'failed') return 'it has ended';
  if (!isCreated) return 'it waits until Docker finds the container healthy (-register healthy)';
  return lost === undefined ? 'it is about to be registered' : `Consul does not take it: ${lost}`;
}
