import { formatted } from './format.ts';
import { asNumber, asText, type Filter } from './values.ts';

/** What is done to texts. `join`, `lower`, `replace` and many more are Nunjucks' own. Pure. */
export const textFilters = {
  toLower: (value) => letterByLetter(asText(value), (letter) => letter.toLowerCase()),
  toUpper: (value) => letterByLetter(asText(value), (letter) => letter.toUpperCase()),
  toTitle: (value) => titledWords(asText(value)),
  /** Without a set of characters: white space, as Nunjucks' own. */
  trim: (value, set) => (set === undefined ? asText(value).trim() : trimmed(asText(value), new Set(asText(set)))),
  trimPrefix: (value, prefix) => {
    const [text, start] = [asText(value), asText(prefix)];
    return text.startsWith(start) ? text.slice(start.length) : text;
  },
  trimSuffix: (value, suffix) => {
    const [text, end] = [asText(value), asText(suffix)];
    return end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text;
  },
  trimSpace: (value) => withoutSpace(asText(value)),
  replaceAll: (value, from, to) => replacedAll(asText(value), asText(from), asText(to)),
  /** An empty text has no parts. */
  split: (value, separator) => {
    const text = withoutSpace(asText(value));
    return text === '' ? [] : separator === undefined || separator === '' ? [...text] : text.split(asText(separator));
  },
  /** Of each part only the first inner separator counts; a part without one is left out. White space around the whole is no part of it. */
  splitToMap: (value, separator, inner) =>
    Object.fromEntries(
      withoutSpace(asText(value))
        .split(asText(separator))
        .filter((part) => part.includes(asText(inner)))
        .map((part): [string, string] => {
          const at = part.indexOf(asText(inner));
          return [part.slice(0, at), part.slice(at + asText(inner).length)];
        }),
    ),
  /** `indent(n, true)` indents the first line too, as consul-template does. An empty line stays empty. */
  indent: (value, width = 4, first = false) => {
    const spaces = asNumber(width, 'indent');
    if (spaces < 0 || spaces > 1000) throw new RangeError(`indent: must be 0 to 1000 spaces, got ${spaces}`);
    return asText(value)
      .split('\n')
      .map((line, at) => (line === '' || (at === 0 && first !== true) ? line : ' '.repeat(spaces) + line))
      .join('\n');
  },
  format: (value, ...args) => formatted(asText(value), args),
  /** `ADDRESS:PORT`, with brackets around an IPv6 address; of an instance, or of an address and a port. */
  hostPort: (value, port) => {
    const instance = typeof value === 'object' && value !== null ? (value as { address?: unknown; port?: unknown }) : undefined;
    const host = asText(instance === undefined ? value : instance.address);
    return `${host.includes(':') ? `[${host}]` : host}:${asText(port ?? instance?.port)}`;
  },
} satisfies Record<string, Filter>;

/** The first letter of each word in its title case. As Go, a word is begun by its first letter that has cases, and goes on over marks between letters. */
function titledWords(text: string): string {
  let isWithin = false;
  let wasMark = false;
  let titles = '';
  for (const character of text) {
    const isMark = MARK_IN_WORDS.test(character);
    if ((isMark && wasMark) || (!isMark && !IN_WORDS.test(character))) isWithin = false;
    wasMark = isMark;
    const isFirst: boolean = !isWithin && /\p{Cased}/u.test(character);
    titles += isFirst ? titled(character) : character;
    isWithin ||= isFirst;
  }
  return titles;
}

/** Unicode's MidLetter, MidNumLet and Single_Quote (UAX 29). */
const MARK_IN_WORDS = /['.:·\u0387\u055f\u05f4‘’\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a]/;
/** Letters, digits and what belongs to them, but not of scripts whose words are not told apart by spaces. */
const IN_WORDS =
  /(?![\u200b\p{Ideographic}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}])[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Cf}]/u;

/** As Go, which has one letter for one: `ß` stays. */
function letterByLetter(text: string, change: (letter: string) => string): string {
  return text.replace(/\P{ASCII}|[A-Za-z]+/gu, (letters) => {
    const changed = change(letters);
    return [...changed].length === [...letters].length ? changed : letters === 'İ' ? 'i' : letters;
  });
}

/** Letters that look like two, in large, as in a title, and small. */
const DOUBLE_LETTERS = ['Ǆǅǆ', 'Ǉǈǉ', 'Ǌǋǌ', 'Ǳǲǳ'];

/** A letter that becomes two has the first of them large. */
function titled(letter: string): string {
  const double = DOUBLE_LETTERS.find((forms) => forms.includes(letter));
  if (double !== undefined) return double.charAt(1);
  const [first = '', ...rest] = letter.toUpperCase();
  return first + rest.join('').toLowerCase();
}

/** Go's white space: a byte order mark is none, other than in JavaScript, and U+0085 is. */
const SPACE =
  /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

export function withoutSpace(text: string): string {
  return text.replace(SPACE, '');
}

function trimmed(text: string, set: ReadonlySet<string>): string {
  const characters = [...text];
  let from = 0;
  let to = characters.length;
  while (from < to && set.has(characters[from] ?? '')) from++;
  while (to > from && set.has(characters[to - 1] ?? '')) to--;
  return characters.slice(from, to).join('');
}

/** An empty `from` matches before and after each character, as in Go. */
function replacedAll(text: string, from: string, to: string): string {
  return from === '' ? ['', ...text, ''].join(to) : text.replaceAll(from, () => to);
}
