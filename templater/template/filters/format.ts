import { asNumber, asText, shown } from './values.ts';

/** Go's verbs, as far as a template needs them: `%s %v %q %d %x %X %f %t %%`, with `-`, `+`, `0`, width and precision. Pure. */
export function formatted(format: string, args: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+0]*)(\d+)?(?:\.(\d+))?(.)/g,
    (whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      const write = VERBS[verb];
      if (write === undefined)
        throw new TypeError(
          `format: unknown verb ${whole}; known are ${Object.keys(VERBS)
            .map((known) => `%${known}`)
            .join(' ')}`,
        );
      if (next >= args.length) throw new TypeError(`format: no value for ${whole} in ${shown(format)}`);
      const value = write(args[next++], precision === undefined ? undefined : Number(precision));
      return padded(flags.includes('+') && /^\d/.test(value) ? `+${value}` : value, flags, Number(width ?? 0));
    },
  );
  if (next < args.length) throw new TypeError(`format: ${args.length - next} values too many for ${shown(format)}`);
  return text;
}

const VERBS: Readonly<Record<string, (value: unknown, precision: number | undefined) => string>> = {
  s: (value, precision) => asText(value).slice(0, precision),
  v: (value) => asText(value),
  q: (value) => JSON.stringify(asText(value)),
  d: (value) => String(Math.trunc(asNumber(value, 'format %d'))),
  x: (value) => (typeof value === 'number' ? value.toString(16) : Buffer.from(asText(value)).toString('hex')),
  X: (value) => (typeof value === 'number' ? value.toString(16) : Buffer.from(asText(value)).toString('hex')).toUpperCase(),
  f: (value, precision = 6) => asNumber(value, 'format %f').toFixed(Math.min(precision, 100)),
  t: (value) => String(Boolean(value)),
};

function padded(value: string, flags: string, width: number): string {
  if (width > 1000) throw new RangeError(`format: a width of ${width} is more than 1000`);
  if (flags.includes('-')) return value.padEnd(width);
  const sign = /^[-+]/.exec(value)?.[0] ?? '';
  return flags.includes('0') ? sign + value.slice(sign.length).padStart(width - sign.length, '0') : value.padStart(width);
}
