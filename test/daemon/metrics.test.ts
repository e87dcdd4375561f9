import { expect, test } from '@jest/globals';
import { createMetrics } from '../../daemon/metrics.ts';

test('counters, gauges and histograms in Prometheus’ text format', () => {
  const metrics = createMetrics({ program: 'try' });
  metrics.counter('tries_total', 'Tries').inc({}, 2);
  const byKind = metrics.counter('kinds_total', 'Kinds', ['kind']);
  byKind.inc({ kind: 'a "quoted"\\\n' });
  byKind.inc({ kind: 'b' });
  byKind.inc({ kind: 'b' });
  metrics.gauge('held', 'Held').set(3);
  metrics.measured('asked', 'Asked for', () => 7);
  metrics.measured('asked_each', 'Asked for, each', () => [{ labels: { file: 'a' }, value: 1 }]);
  const seconds = metrics.histogram('took_seconds', 'Took', [0.1, 1]);
  for (const value of [0.05, 0.5, 5]) seconds.observe(value);

  expect(metrics.text()).toBe(`# HELP tries_total Tries
# TYPE tries_total counter
tries_total{program="try"} 2

# HELP kinds_total Kinds
# TYPE kinds_total counter
kinds_total{kind="a \\"quoted\\"\\\\\\n",program="try"} 1
kinds_total{kind="b",program="try"} 2

# HELP held Held
# TYPE held gauge
held{program="try"} 3

# HELP asked Asked for
# TYPE asked gauge
asked{program="try"} 7

# HELP asked_each Asked for, each
# TYPE asked_each gauge
asked_each{file="a",program="try"} 1

# HELP took_seconds Took
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1",program="try"} 1
took_seconds_bucket{le="1",program="try"} 2
took_seconds_bucket{le="+Inf",program="try"} 3
took_seconds_sum{program="try"} 5.55
took_seconds_count{program="try"} 3
`);
});

test('one without labels is 0 from the start, one with labels has no value before it has one', () => {
  const metrics = createMetrics({});
  metrics.counter('plain_total', 'Plain');
  metrics.counter('kinds_total', 'Kinds', ['kind']);

  expect(metrics.text()).toContain('plain_total 0\n');
  expect(metrics.text()).not.toMatch(/^kinds_total/m);
});

test('a sum is over all labels', () => {
  const metrics = createMetrics({});
  const kinds = metrics.counter('kinds_total', 'Kinds', ['kind']);
  kinds.inc({ kind: 'a' });
  kinds.inc({ kind: 'b' }, 2);

  expect(metrics.sum('kinds_total')).toBe(3);
  expect(metrics.sum('nosuch')).toBe(0);
});
