/** Numbers of a program in Prometheus' text format (version 0.0.4): what it counts, what there is, how long things took. */

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  readonly inc: (labels?: Labels, by?: number) => void;
}

export interface Measured {
  readonly labels: Labels;
  readonly value: number;
}

export interface Gauge {
  readonly set: (value: number, labels?: Labels) => void;
}

export interface Histogram {
  readonly observe: (value: number, labels?: Labels) => void;
}

/** A program's own metrics; nothing is global. */
export interface Metrics {
  /** With `labelNames` there is a value for each; without them there is one, 0 from the start. */
  readonly counter: (name: string, help: string, labelNames?: readonly string[]) => Counter;
  readonly gauge: (name: string, help: string, labelNames?: readonly string[]) => Gauge;
  /** A gauge that is asked whenever the metrics are: a value, or one for each of some labels. */
  readonly measured: (name: string, help: string, measure: () => number | readonly Measured[]) => void;
  /** `buckets` are upper bounds, ascending. */
  readonly histogram: (name: string, help: string, buckets: readonly number[]) => Histogram;
  /** The sum of a metric's values over all its labels; 0 for one that is not known. */
  readonly sum: (name: string) => number;
  readonly text: () => string;
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly samples: () => readonly Sample[];
}

interface Sample {
  /** What follows the family's name, such as `_bucket`. */
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
}

/** `common` labels are on every value. */
export function createMetrics(common: Labels): Metrics {
  const families: Family[] = [];

  function series(name: string, help: string, kind: Family['kind'], labelNames: readonly string[]) {
    const values = new Map<string, { readonly labels: Labels; value: number }>();
    const at = (labels: Labels) => {
      const key = JSON.stringify(labels);
      const known = values.get(key) ?? { labels, value: 0 };
      values.set(key, known);
      return known;
    };
    if (labelNames.length === 0) at({});
    families.push({ name, help, kind, samples: () => [...values.values()].map((sample) => ({ suffix: '', ...sample })) });
    return at;
  }

  return {
    counter: (name, help, labelNames = []) => {
      const at = series(name, help, 'counter', labelNames);
      return {
        inc: (labels = {}, by = 1) => {
          at(labels).value += by;
        },
      };
    },
    gauge: (name, help, labelNames = []) => {
      const at = series(name, help, 'gauge', labelNames);
      return {
        set: (value, labels = {}) => {
          at(labels).value = value;
        },
      };
    },
    measured: (name, help, measure) => {
      const all = (measured: ReturnType<typeof measure>) => (typeof measured === 'number' ? [{ labels: {}, value: measured }] : measured);
      families.push({ name, help, kind: 'gauge', samples: () => all(measure()).map((one) => ({ suffix: '', ...one })) });
    },
    histogram: (name, help, buckets) => {
      const byLabels = new Map<string, { readonly labels: Labels; readonly counts: number[]; sum: number; count: number }>();
      families.push({
        name,
        help,
        kind: 'histogram',
        samples: () => [...byLabels.values()].flatMap((one) => histogramSamples(buckets, one)),
      });
      return {
        observe: (value, labels = {}) => {
          const key = JSON.stringify(labels);
          const known = byLabels.get(key) ?? { labels, counts: buckets.map(() => 0), sum: 0, count: 0 };
          byLabels.set(key, known);
          for (const [at, bound] of buckets.entries()) if (value <= bound) known.counts[at] = (known.counts[at] ?? 0) + 1;
          known.sum += value;
          known.count++;
        },
      };
    },
    sum: (name) => (families.find((family) => family.name === name)?.samples() ?? []).reduce((sum, { value }) => sum + value, 0),
    text: () => families.map((family) => familyText(family, common)).join('\n'),
  };
}

function histogramSamples(
  buckets: readonly number[],
  {
    labels,
    counts,
    sum,
    count,
  }: { readonly labels: Labels; readonly counts: readonly number[]; readonly sum: number; readonly count: number },
): readonly Sample[] {
  return [
    ...buckets.map((bound, at) => ({ suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: counts[at] ?? 0 })),
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: count },
  ];
}

function familyText({ name, help, kind, samples }: Family, common: Labels): string {
  const lines = samples().map(({ suffix, labels, value }) => `${name}${suffix}${labelText({ ...labels, ...common })} ${value}\n`);
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${kind}\n${lines.join('')}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
