import type { Counter, Metrics } from '../daemon/metrics.ts';

/** What a registrator counts. */
export interface RegistratorMetrics {
  readonly events: Counter;
  readonly inspections: Counter;
  readonly writes: Counter;
  readonly rounds: Counter;
}

/** What is asked when the numbers are. */
export interface RegistratorGauges {
  readonly containers: () => number;
  readonly pending: () => number;
  readonly problems: () => number;
}

export function createRegistratorMetrics(metrics: Metrics): RegistratorMetrics {
  return {
    events: metrics.counter('toots_docker_events_total', 'Events of the Docker engine', ['action']),
    inspections: metrics.counter('toots_docker_inspections_total', 'Containers inspected'),
    writes: metrics.counter('toots_consul_writes_total', 'Writes to the agent', ['step', 'outcome']),
    rounds: metrics.counter('toots_rounds_total', 'Comparisons of all that should be with all that is'),
  };
}

export function addGauges(metrics: Metrics, gauges: RegistratorGauges): void {
  metrics.measured('toots_containers', 'Containers that are known', gauges.containers);
  metrics.measured('toots_pending', 'Containers and services that are being worked on', gauges.pending);
  metrics.measured('toots_problems', 'Problems there are', gauges.problems);
}
