/** Go's shortest digits of a float with an exponent: beyond these it writes one, `1.5e+06`, `1e-05`. */
const [LEAST_PLAIN_EXPONENT, MOST_PLAIN_EXPONENT] = [-4, 5];

/**
 * A number as Go prints it (`%v`). A fraction is a float there too; a whole number is printed whole, because what was a float and what an
 * integer cannot be told apart here, and ports and counts are none. Pure.
 */
export function goNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : goFloat(value);
}

/** A float as Go prints it, whole or not. Pure. */
export function goFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const [mantissa = '', power = ''] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= LEAST_PLAIN_EXPONENT && exponent <= MOST_PLAIN_EXPONENT) return Object.is(value, -0) ? '-0' : String(value);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
