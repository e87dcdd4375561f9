import type { Doorbell } from '../daemon/doorbell.ts';
import { innerSignal } from '../daemon/inner-signal.ts';

/**
 * Waits for as long as all that rings is known from elsewhere, at most `ms` milliseconds: ends at once when it is not, at the start or at a later ring.
 */
export async function calm(bell: Doorbell, isKnown: () => Promise<boolean>, ms: number, signal: AbortSignal): Promise<void> {
  using end = innerSignal(signal, ms);
  while ((await isKnown()) && !end.signal.aborted) await bell.rung(end.signal);
}
