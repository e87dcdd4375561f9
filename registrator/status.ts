import type { Registered } from '../consul/registration.ts';
import { type ProblemBook, toldProblem } from '../daemon/problem-book.ts';
import type { DockerEngine } from './docker-engine.ts';
import type { Host, KnownContainer } from './host.ts';
import type { Observation } from './observe.ts';
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
    containers: host.status().map((container) => containerStatus(container, settlement)),
  };
}

function connection(subject: string, lost: string | undefined): object {
  return { subject, state: lost === undefined ? 'followed' : 'lost', ...(lost !== undefined && { why: lost }) };
}

function containerStatus({ id, name, phase, services, why }: KnownContainer, settlement: Settlement): object {
  return {
    id,
    name,
    phase: phase.kind,
    ...(why !== undefined && { why }),
    services: services.map((service) => serviceStatus(service, settlement.actual(service.id), settlement)),
  };
}

function serviceStatus({ id, isLost }: KnownContainer['services'][number], actual: Registered | undefined, settlement: Settlement): object {
  if (isLost) return { id, state: 'refused', why: 'another port or container has this ID' };
  const refused = settlement.problems().get(id);
  if (refused !== undefined) return { id, state: 'refused', why: refused.reason };
  if (actual === undefined) return { id, state: 'not registered' };
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
