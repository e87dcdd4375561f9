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
  /** Why each cannot be followed now; absent where it is. */
  readonly dockerLost: () => string | undefined;
  readonly consulLost: () => string | undefined;
  /** Of the services that containers want: all, those that cannot be registered, those in maintenance. */
  readonly services: () => { readonly wanted: number; readonly refused: number; readonly held: number };
  /** When all that should be was compared with all that is; absent before the first time. */
  readonly lastRound: () => { readonly at: string } | undefined;
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
  gauge('toots_docker_followed', 'Whether the Docker engine is followed: 1, or 0 while it is away', () => followed(gauges.dockerLost()));
  gauge('toots_consul_followed', 'Whether the Consul agent is followed: 1, or 0 while it is away', () => followed(gauges.consulLost()));
  gauge('toots_services_wanted', 'Services that the containers want', () => gauges.services().wanted);
  gauge('toots_services_refused', 'Those of them that are not registered, or not as they should be', () => gauges.services().refused);
  gauge('toots_services_held', 'Those of them in maintenance, by us or by an operator', () => gauges.services().held);
  gauge(
    'toots_last_round_timestamp_seconds',
    'When the agent was last compared with what should be, in seconds since 1970',
    () => Date.parse(gauges.lastRound()?.at ?? new Date(0).toISOString()) / 1_000,
  );
}

const followed = (lost: string | undefined): number => (lost === undefined ? 1 : 0);
