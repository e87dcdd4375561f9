import type { Problem } from '../../model/problem.ts';

/** A query that gets no answer: since when, milliseconds since the epoch, and what came of the last try. */
export interface FailingQuery {
  readonly since: number;
  readonly error: string;
}

/** How long Consul may be away before that is a problem: it is asked again within it, milliseconds. */
const AWAY_FOR_MS = 5_000;

/** The one problem that Consul does not answer, told by the query that has waited the longest; none while all do, or soon may. Pure. */
export function consulProblem(address: string, failing: readonly FailingQuery[], now: number): readonly Problem[] {
  const [longest] = failing.toSorted((a, b) => a.since - b.since);
  if (longest === undefined || now - longest.since < AWAY_FOR_MS) return [];
  return [
    { subject: 'edge', option: 'consul', value: address, reason: `${longest.error}; what Consul told last is served until it answers` },
  ];
}
