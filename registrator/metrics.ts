import { Counter, Gauge, type Registry } from 'prom-client';

/** What a registrator counts. */
export interface RegistratorMetrics {
  readonly events: Counter<'action'>;
  readonly inspections: Counter;
  readonly writes: Counter<'step' | 'outcome'>;
  readonly rounds: Counter;
}

/** What is asked when the numbers are. */
export interface RegistratorGauges {
  readonly containers: () => number;
  readonly pending: () => number;
  readonly problems: () => number;
}

export function createRegistratorMetrics(registry: Registry): RegistratorMetrics {
  const registers = [registry];
  return {
    events: new Counter({ name: 'toots_docker_events_total', help: 'Events of the Docker engine', labelNames: ['action'], registers }),
    inspections: new Counter({ name: 'toots_docker_inspections_total', help: 'Containers inspected', registers }),
    writes: new Counter({ name: 'toots_consul_writes_total', help: 'Writes to the agent', labelNames: ['step', 'outcome'], registers }),
    rounds: new Counter({ name: 'toots_rounds_total', help: 'Comparisons of all that should be with all that is', registers }),
  };
}

export function addGauges(registry: Registry, gauges: RegistratorGauges): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  gauge('toots_containers', 'Containers that are known', gauges.containers);
  gauge('toots_pending', 'Containers and services that are being worked on', gauges.pending);
  gauge('toots_problems', 'Problems there are', gauges.problems);
}
