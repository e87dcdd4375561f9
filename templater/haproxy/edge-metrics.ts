import type { Metrics } from '../../daemon/metrics.ts';
import type { CertificateInfo } from './certificates.ts';

export interface EdgeMetrics {
  readonly round: (did: string, ms: number, commands: number) => void;
  readonly started: () => void;
  readonly reloaded: () => void;
  readonly oldWorkers: (count: number) => void;
  readonly drifted: (count: number) => void;
}

/** The edge's own metrics. */
export function createEdgeMetrics(
  metrics: Metrics,
  count: {
    readonly problems: () => number;
    readonly holds: () => number;
    readonly pinned: () => number;
    readonly certificates: () => readonly CertificateInfo[];
  },
): EdgeMetrics {
  metrics.measured('toots_problems', 'Problems there are now', count.problems);
  metrics.measured('toots_holds', 'Services of which something is held as a suspected outage of Consul', count.holds);
  metrics.measured(
    'toots_edge_pinned_generation',
    'The generation that the edge was taken back to; 0 when it follows Consul',
    count.pinned,
  );
  metrics.measured('toots_edge_certificate_expiry_timestamp_seconds', 'When a certificate ends, in seconds since 1970, by its file', () =>
    count.certificates().map(({ file, validTo }) => ({ labels: { file }, value: Date.parse(validTo) / 1000 })),
  );
  const rounds = metrics.counter('toots_edge_rounds_total', 'Rounds by what they did', ['did']);
  const seconds = metrics.histogram(
    'toots_edge_round_seconds',
    'How long a round took',
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  );
  const commands = metrics.counter('toots_edge_runtime_commands_total', 'Runtime API commands sent to HAProxy');
  const reloads = metrics.counter('toots_edge_reloads_total', 'Reloads of HAProxy');
  const starts = metrics.counter('toots_edge_haproxy_starts_total', 'Times that HAProxy was started because none ran');
  const old = metrics.gauge('toots_edge_old_workers', 'Workers of earlier configurations that still had connections at the last reload');
  const drift = metrics.counter('toots_edge_drift_total', 'Differences found in HAProxy that were not made here, and repaired');
  return {
    round: (did, ms, sent) => {
      rounds.inc({ did });
      seconds.observe(ms / 1000);
      commands.inc({}, sent);
    },
    started: () => starts.inc(),
    reloaded: () => reloads.inc(),
    oldWorkers: (count) => old.set(count),
    drifted: (count) => drift.inc({}, count),
  };
}
