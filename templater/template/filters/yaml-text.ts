import { bytesOf } from '../../../consul/byte-text.ts';
import { holdsFloats } from './go-floats.ts';
import { goFloat, goNumber } from './go-number.ts';
import { isMap } from './values.ts';

/** A value as go-yaml 2 writes it, which consul-template uses, without the line end: lists are not indented below their key. Pure. */
export function yamlText(value: unknown): string {
  return lines(value, '').join('\n');
}

function lines(value: unknown, indent: string): readonly string[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item) => listItem(item, indent, holdsFloats(value)));
  if (isMap(value) && Object.keys(value).length > 0) {
    const entries = Object.entries(value).sort(([a], [b]) => keyOrder([...a], [...b]));
    return entries.flatMap(([key, item]) => mapEntry(key, item, indent, holdsFloats(value)));
  }
  return [indent + scalar(value, indent)];
}

function listItem(item: unknown, indent: string, isFloat: boolean): readonly string[] {
  if (!isBlock(item)) return [`${indent}- ${scalar(item, `${indent}  `, undefined, isFloat)}`];
  return blockAfter('-', item, indent);
}

/** A list or a map that begins on the line of its sign. */
function blockAfter(sign: string, item: unknown, indent: string): readonly string[] {
  const [first = '', ...rest] = lines(item, `${indent}  `);
  return [`${indent}${sign} ${first.slice(indent.length + 2)}`, ...rest];
}

function mapEntry(key: string, item: unknown, indent: string, isFloat: boolean): readonly string[] {
  if (/[\n\r\x85\u2028\u2029]/.test(key) || [...key].length > LONGEST_SIMPLE_KEY) {
    const above = `${indent}? ${textScalar(key, `${indent}  `, true, indent.length + 2)}`;
    if (isBlock(item)) return [above, ...blockAfter(':', item, indent)];
    return [above, `${indent}: ${scalar(item, `${indent}  `, indent.length + 2, isFloat)}`];
  }
  const name = textScalar(key, indent, false);
  if (!isBlock(item)) return [`${indent}${name}: ${scalar(item, `${indent}  `, indent.length + name.length + 2, isFloat)}`];
  return [`${indent}${name}:`, ...lines(item, Array.isArray(item) ? indent : `${indent}  `)];
}

/** Characters of a key that stands before its colon; a longer one, or one of several lines, has a line of its own. */
const LONGEST_SIMPLE_KEY = 128;

function isBlock(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isMap(value) && Object.keys(value).length > 0;
}

function scalar(value: unknown, indent: string, column = indent.length, isFloat = false): string {
  if (typeof value === 'string') return textScalar(value, indent, true, column);
  if (Array.isArray(value)) return '[]';
  if (isMap(value)) return '{}';
  return typeof value === 'number' ? numberText(value, isFloat) : String(value);
}

function numberText(value: number, isFloat: boolean): string {
  if (Number.isFinite(value)) return isFloat ? goFloat(value) : goNumber(value);
  return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
}

/** What YAML 1.1 reads as something else than text when it stands plain. */
const LOOKS_LIKE_ANOTHER_TYPE =
  /^(?!_)(|~|null|Null|NULL|y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|true|True|TRUE|false|False|FALSE|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[-+]?(\d[\d_]*)?\.?[\d_]+([eE][-+]?\d+)?|[-+]?\d[\d_]*\.([eE][-+]?\d+)?|[-+]?0b[01_]+|[-+]?0x[\da-fA-F_]+|[-+]?0o?[0-7_]+|[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?|\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?)$/;

function textScalar(text: string, indent: string, mayBreak: boolean, column = indent.length): string {
  const place = mayBreak ? { indent: indent || '  ', column } : undefined;
  if (/\p{Surrogate}/u.test(text)) return binary(text, indent || '  ');
  if (LOOKS_LIKE_ANOTHER_TYPE.test(text)) return doubleQuoted(text, place);
  if (/[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text)) return doubleQuoted(text, place);
  if (text.includes('\n')) return mayBreak && !/ [\n\u2028\u2029]| $/.test(text) ? literal(text, indent) : doubleQuoted(text, place);
  if (/[\u2028\u2029] | [\u2028\u2029]/.test(text)) return doubleQuoted(text, place);
  if (isPlain(text)) return folded(text, place);
  const quoted = folded(text.replaceAll("'", "''"), place && { ...place, column: place.column + 1 });
  return `'${place === undefined ? quoted : indentedBreaks(quoted, place.indent)}'`;
}

/** Bytes that are no UTF-8, at most 70 characters a line. */
function binary(text: string, indent: string): string {
  const all = bytesOf(text).toString('base64');
  if (all.length <= BINARY_WIDTH) return `!!binary ${all}`;
  const lines = Array.from({ length: Math.ceil(all.length / BINARY_WIDTH) }, (_, at) =>
    all.slice(at * BINARY_WIDTH, (at + 1) * BINARY_WIDTH),
  );
  return `!!binary |\n${lines.map((line) => indent + line).join('\n')}`;
}

const BINARY_WIDTH = 70;

/** What follows a line or paragraph separator stands as far in as a further line. */
function indentedBreaks(text: string, indent: string): string {
  return text.replace(/[\u2028\u2029](?=[^\u2028\u2029\n])/g, (separator) => separator + indent);
}

function isPlain(text: string): boolean {
  return !/^[-?:](\s|$)|^[,[\]{}#&*!|>'"%@`]|^---|^\.\.\.|: |:$| #|^ | $|[\u2028\u2029]/.test(text);
}

function literal(text: string, indent: string): string {
  // What begins with white space says how far in it stands.
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const end = text === '\n' || text.endsWith('\n\n') ? '+' : text.endsWith('\n') ? '' : '-';
  const body = text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => (line === '' ? '' : (indent || '  ') + indentedBreaks(line, indent || '  ')));
  return `|${hint}${end}\n${body.join('\n')}`;
}

/** go-yaml's order of keys: as people count, `a2` before `a10`, and letters after what is none. */
function keyOrder(a: readonly string[], b: readonly string[]): number {
  let isInNumber = false;
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [mine = '', theirs = ''] = [a[at], b[at]];
    if (mine === theirs) {
      isInNumber = isDigit(mine);
      continue;
    }
    const [isMyLetter, isTheirLetter] = [isLetter(mine), isLetter(theirs)];
    if (isMyLetter && isTheirLetter) return byCodePoint(mine, theirs);
    if (isMyLetter || isTheirLetter) return isMyLetter === isInNumber ? -1 : 1;
    return numberOrder(a, b, at) || byCodePoint(mine, theirs);
  }
  return a.length - b.length;
}

/** By the numbers that begin here, or go on: `a100` and `a1000` differ within them. 0 when there are none. */
function numberOrder(a: readonly string[], b: readonly string[], at: number): number {
  const isWithin = (a[at] === '0' || b[at] === '0') && leadingDigits(a.slice(0, at).reverse()).some((digit) => digit !== '0');
  const [mine, theirs] = [leadingDigits(a.slice(at)), leadingDigits(b.slice(at))];
  const value = (digits: readonly string[]) => Number(`${isWithin ? '1' : ''}${digits.join('')}` || 0);
  return value(mine) - value(theirs) || mine.length - theirs.length;
}

function leadingDigits(characters: readonly string[]): readonly string[] {
  const end = characters.findIndex((character) => !isDigit(character));
  return end === -1 ? characters : characters.slice(0, end);
}

const isDigit = (character: string) => /^\p{Nd}$/u.test(character);
const isLetter = (character: string) => /^\p{L}$/u.test(character);
const byCodePoint = (a: string, b: string) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);

const WIDTH = 80;

/** Where a text that may be broken begins, and what its further lines begin with. */
interface Place {
  readonly indent: string;
  readonly column: number;
}

/** Breaks a long text at the first single space after the 80th column, as go-yaml does. */
function folded(text: string, place: Place | undefined): string {
  if (place === undefined) return text;
  let { column } = place;
  return text.replace(/ (?=[^ ])(?<=[^ ] )|[^ ]+| +/g, (part) => {
    const isBreak = part === ' ' && column > WIDTH;
    column = isBreak ? place.indent.length : column + [...part].length;
    return isBreak ? `\n${place.indent}` : part;
  });
}

const DOUBLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '\x85': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

const ESCAPED = /["\\\u2028\u2029\ufeff\ufffe\uffff]|\p{Cc}|[\u{10000}-\u{10ffff}]/u;

/** Breaks at the first space of several too; what is left of them stands after a backslash. */
function doubleQuoted(text: string, place: Place | undefined): string {
  const characters = [...text];
  // go-yaml takes every character of a text for the byte order mark that it begins with.
  if (text.startsWith('\ufeff')) return `"${characters.map(escapedCharacter).join('')}"`;
  let column = (place?.column ?? 0) + 1;
  const parts = characters.map((character, at) => {
    const isInside = at > 0 && at < characters.length - 1 && characters[at - 1] !== ' ';
    if (character === ' ' && place !== undefined && isInside && column > WIDTH) {
      const rest = characters[at + 1] === ' ' ? '\\' : '';
      column = place.indent.length + rest.length;
      return `\n${place.indent}${rest}`;
    }
    const part = ESCAPED.test(character) ? escapedCharacter(character) : character;
    column += part.length;
    return part;
  });
  return `"${parts.join('')}"`;
}

function escapedCharacter(character: string): string {
  const known = DOUBLE_ESCAPES[character];
  if (known !== undefined) return known;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  if (code.length <= 2) return `\\x${code.padStart(2, '0')}`;
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
}
