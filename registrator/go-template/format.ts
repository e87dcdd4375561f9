import { printed } from './printed.ts';

/** `%`, flags, width, precision, verb. */
const VERB = /%([-+#0 ]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g;

/** Go's `printf`, with the verbs that tags are made with. What is missing or does not fit is told in the text, as Go does. */
export function formatted(format: string, values: readonly unknown[]): string {
  const left = [...values];
  const text = format.replace(VERB, (_, flags: string, width?: string, precision?: string, verb = 'v') => {
    if (verb === '%') return '%';
    if (left.length === 0) return `%!${verb}(MISSING)`;
    const value = left.shift();
    const plain = VERBS[verb]?.(value, precision === undefined ? undefined : Number(precision));
    return plain === undefined ? `%!${verb}(${printed(value)})` : padded(plain, flags, Number(width ?? 0), typeof value === 'number');
  });
  return left.length === 0 ? text : `${text}%!(EXTRA ${left.map(printed).join(', ')})`;
}

type Verb = (value: unknown, precision: number | undefined) => string | undefined;

const whole =
  (base: number): Verb =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) ? value.toString(base) : undefined;
const hex: Verb = (value) => (typeof value === 'string' ? Buffer.from(value).toString('hex') : whole(16)(value, undefined));

const VERBS: Readonly<Record<string, Verb>> = {
  v: (value) => printed(value),
  s: (value, precision) => [...printed(value)].slice(0, precision).join(''),
  q: (value) => JSON.stringify(printed(value)),
  d: whole(10),
  b: whole(2),
  o: whole(8),
  x: hex,
  X: (value, precision) => hex(value, precision)?.toUpperCase(),
  t: (value) => (typeof value === 'boolean' ? String(value) : undefined),
  f: (value, precision = 6) => (typeof value === 'number' ? value.toFixed(precision) : undefined),
  g: (value, precision) =>
    typeof value === 'number' ? String(precision === undefined ? value : Number(value.toPrecision(precision))) : undefined,
};

/** Zeros only before a number. */
function padded(text: string, flags: string, width: number, isNumber: boolean): string {
  const signed = isNumber && flags.includes('+') && !text.startsWith('-') ? `+${text}` : text;
  if (flags.includes('-')) return signed.padEnd(width);
  if (!flags.includes('0') || !isNumber) return signed.padStart(width);
  const [, sign = '', digits = ''] = /^([+-]?)(.*)$/s.exec(signed) ?? [];
  return sign + digits.padStart(width - sign.length, '0');
}
