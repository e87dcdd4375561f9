import type { Brand } from './brand.ts';

/** Share of the traffic relative to siblings, a whole number 0–256. 0 keeps what an instance has and sends it nothing new. */
export type Weight = Brand<number, 'Weight'>;

export const MOST_WEIGHT = 256;

/** @throws RangeError when `value` is not a whole number in 0–256. */
export function weight(value: number): Weight {
  if (!Number.isInteger(value) || value < 0 || value > MOST_WEIGHT)
    throw new RangeError(`a weight is a whole number from 0 to ${MOST_WEIGHT}, not ${value}`);
  return value as Weight;
}

/** What an instance without a weight has. */
export const DEFAULT_WEIGHT = weight(100);
