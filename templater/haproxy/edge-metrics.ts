import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CertificateInfo } from './certificates.ts';

export interface EdgeMetrics {
  readonly round: (did: string, ms: number, commands: number) => void;
  /** HAProxy has what was told so long ago. */
  readonly followed: (ms: number) => void;
  readonly started: () => void;
  readonly reloaded: () => void;
  readonly oldWorkers: (count: number) => void;
  readonly drifted: (count: number) => void;
  /** An answer of Consul, of so many bytes. */
  readonly consulAnswered: (bytes: number) => void;
}

/** The edge's own metrics, registered in `registers`. */
export function createEdgeMetrics(
  registry: Registry,
  count: {
    readonly problems: () => number;
    readonly holds: () => number;
    readonly pinned: () => number;
    readonly certificates: () => readonly CertificateInfo[];
  },
): EdgeMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('toots_problems', 'Problems there are now', count.problems);
  gauge('toots_holds', 'Services of which something is held as a suspected outage of Consul', count.holds);
  gauge('toots_edge_pinned_generation', 'The generation that the edge was taken back to; 0 when it follows Consul', count.pinned);
  new Gauge({
    name: 'toots_edge_certificate_expiry_timestamp_seconds',
    help: 'When a certificate ends, in seconds since 1970, by its file',
    labelNames: ['file'],
    registers,
    collect() {
      this.reset();
      for (const { file, validTo } of count.certificates()) this.set({ file }, Date.parse(validTo) / 1000);
    },
  });
  const rounds = new Counter({ name: 'toots_edge_rounds_total', help: 'Rounds by what they did', labelNames: ['did'], registers });
  const seconds = new Histogram({
    name: 'toots_edge_round_seconds',
    help: 'How long a round took',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  const propagation = new Histogram({
    name: 'toots_edge_propagation_seconds',
    help: 'From the answer of Consul that changed something to HAProxy having it, what waits for a reload included',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30],
    registers,
  });
  const commands = new Counter({ name: 'toots_edge_runtime_commands_total', help: 'Runtime API commands sent to HAProxy', registers });
  const reloads = new Counter({ name: 'toots_edge_reloads_total', help: 'Reloads of HAProxy', registers });
  const starts = new Counter({
    name: 'toots_edge_haproxy_starts_total',
    help: 'Times that HAProxy was started because none ran',
    registers,
  });
  const old = new Gauge({
    name: 'toots_edge_old_workers',
    help: 'Workers of earlier configurations that still have connections, looked for every five seconds',
    registers,
  });
  const drift = new Counter({
    name: 'toots_edge_drift_total',
    help: 'Differences found in HAProxy that were not made here, and repaired',
    registers,
  });
  const answers = new Counter({ name: 'toots_consul_answers_total', help: 'Answers that Consul gave to the watch', registers });
  const answerBytes = new Counter({ name: 'toots_consul_answer_bytes_total', help: 'Bytes of them', registers });
  return {
    round: (did, ms, sent) => {
      rounds.inc({ did });
      seconds.observe(ms / 1000);
      commands.inc(sent);
    },
    followed: (ms) => propagation.observe(ms / 1000),
    started: () => starts.inc(),
    reloaded: () => reloads.inc(),
    oldWorkers: (count) => old.set(count),
    drifted: (count) => drift.inc(count),
    consulAnswered: (bytes) => {
      answers.inc();
      answerBytes.inc(bytes);
    },
  };
}
