/**
 * How long to wait after a number of failures in a row, milliseconds: doubles from `firstMs` up to `mostMs`.
 * `jitter` in 0–1 takes up to half of it away, so that many programs do not come back at once.
 */
export function backoffMs(failures: number, firstMs: number, mostMs: number, jitter = Math.random()): number {
  if (failures <= 0) return 0;
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(whole * (1 - jitter / 2));
}
