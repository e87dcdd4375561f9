/** A share's value of some numbers, such as 0.95. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** `p50 …, p95 …, max …` of milliseconds. */
export function quantiles(values: readonly number[]): string {
  const shown = (share: number) => `${quantile(values, share).toFixed(1)} ms`;
  return `p50 ${shown(0.5)}, p95 ${shown(0.95)}, max ${shown(1)}`;
}
