import { asNumber, asText, type Filter, shown } from './values.ts';

/** Arithmetic: the piped value is the left operand. Two whole numbers divide to a whole number, as in Go. Pure. */
export const numberFilters = {
  add: calculation('add', (a, b) => a + b),
  subtract: calculation('subtract', (a, b) => a - b),
  multiply: calculation('multiply', (a, b) => a * b),
  divide: calculation('divide', (a, b) => {
    if (!Number.isInteger(a) || !Number.isInteger(b)) return a / b;
    if (b === 0) throw new RangeError('divide: by 0');
    return Math.trunc(a / b);
  }),
  /** Of whole numbers; Nunjucks' `%` is for fractions too. */
  modulo: calculation('modulo', (a, b) => {
    const fraction = [a, b].find((number) => !Number.isInteger(number));
    if (fraction !== undefined) throw new TypeError(`modulo: needs whole numbers, got ${fraction}`);
    if (b === 0) throw new RangeError('modulo: by 0');
    return a % b;
  }),
  minimum: calculation('minimum', Math.min),
  maximum: calculation('maximum', Math.max),
  /** An empty text is false. */
  parseBool: (value) => {
    const text = asText(value);
    if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
    if (/^(|0|f|F|FALSE|false|False)$/.test(text)) return false;
    throw new TypeError(`parseBool: must be true or false, got ${shown(value)}`);
  },
  parseFloat: (value) => {
    const text = asText(value);
    if (text === '') return 0;
    const [, sign = '', word] = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text) ?? [];
    if (word !== undefined) return /^n/i.test(word) ? Number.NaN : Number(`${sign}Infinity`);
    if (!/^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/i.test(text))
      throw new TypeError(`parseFloat: no number: ${shown(value)}`);
    const number = Number(text.replaceAll('_', ''));
    if (!Number.isFinite(number)) throw new RangeError(`parseFloat: too large: ${shown(value)}`);
    return number;
  },
  parseInt: (value) => wholeNumber(asText(value), 'parseInt', /^[+-]?\d+$/),
  parseUint: (value) => wholeNumber(asText(value), 'parseUint', /^\d+$/),
} satisfies Record<string, Filter>;

function calculation(name: string, calculate: (a: number, b: number) => number): Filter {
  return (value, other) => calculate(asNumber(value, name), asNumber(other, name));
}

/** An empty text is 0. @throws when it is no number, or one that JavaScript cannot hold exactly. */
function wholeNumber(text: string, filter: string, pattern: RegExp): number {
  if (text === '') return 0;
  if (!pattern.test(text)) throw new TypeError(`${filter}: no whole number: ${shown(text)}`);
  if (!Number.isSafeInteger(Number(text))) throw new RangeError(`${filter}: too large: ${shown(text)}`);
  return Number(text);
}
