/**
 * Go reads every number of JSON as a float, and writes it as one: `3.0` in TOML, `1e+06` in YAML. Here a whole number is a whole number, so
 * it is remembered which lists and maps came from JSON.
 */
const ofFloats = new WeakSet<object>();

/** Remembers that the numbers in this, as deep as it goes, are floats. */
export function withFloats<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  ofFloats.add(value);
  for (const part of Object.values(value)) withFloats(part);
  return value;
}

export function holdsFloats(value: object): boolean {
  return ofFloats.has(value);
}

/** Remembers it of what was made of others, when all numbers in it are floats. */
export function asThese<Value extends object>(value: Value, ...sources: readonly object[]): Value {
  const areFloats = sources.some(holdsFloats) && sources.every((source) => holdsFloats(source) || !holdsNumbers(source));
  if (areFloats) ofFloats.add(value);
  return value;
}

function holdsNumbers(value: object): boolean {
  return Object.values(value).some((part) => typeof part === 'number');
}
