import { shown } from './values.ts';

/**
 * Go's regular expressions (RE2) in JavaScript: `(?i)` at the start, `(?P<name>…)`, `\A \z \Q…\E \pL`, `[[:alpha:]]`, ASCII `\s`.
 * What Go does not have (look-around, back-references) is refused, so that a template means the same in both. Pure.
 * @throws SyntaxError for what is no regular expression of Go's.
 */
export function goRegex(source: string): RegExp {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const [whole = '', letters = ''] = /^\(\?([a-zA-Z]*)\)/.exec(source) ?? [];
  const wrong = /[^ims]/.exec(letters)?.[0];
  if (wrong !== undefined) throw new SyntaxError(`regular expression ${shown(source)}: flag ${wrong} is not supported; i, m and s are`);
  const flags = { multiline: letters.includes('m'), dotAll: letters.includes('s') };
  try {
    const regex = new RegExp(translated(source.slice(whole.length), flags), letters.includes('i') ? 'gui' : 'gu');
    if (compiled.size >= MOST_COMPILED) compiled.clear();
    compiled.set(source, regex);
    return regex;
  } catch (cause) {
    throw new SyntaxError(
      `regular expression ${shown(source)}: ${cause instanceof Error ? cause.message.replace(/^.*\/: /, '') : String(cause)}`,
      { cause },
    );
  }
}

/** A template uses a few, each many times; patterns that were made of data must not pile up. */
const MOST_COMPILED = 1_000;
const compiled = new Map<string, RegExp>();

interface Flags {
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

/** The first row that matches at a position outside of a class says what stands there. */
function translated(pattern: string, { multiline, dotAll }: Flags): string {
  let out = '';
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at);
    const [length, text] =
      quotedLiteral(rest) ??
      escaped(rest) ??
      characterClass(rest) ??
      group(rest) ??
      repetition(rest) ??
      (rest.startsWith('^') ? ([1, multiline ? '(?<=\\n|(?<![\\s\\S]))' : '^'] as const) : undefined) ??
      (rest.startsWith('$') ? ([1, multiline ? '(?=\\n|(?![\\s\\S]))' : '$'] as const) : undefined) ??
      (rest.startsWith('.') ? ([1, dotAll ? '[\\s\\S]' : '[^\\n]'] as const) : undefined) ??
      ([1, /^[{}\]]/.test(rest) ? `\\${rest[0]}` : rest.slice(0, 1)] as const);
    out += text;
    at += length;
  }
  return out;
}

type Piece = readonly [length: number, text: string] | undefined;

function quotedLiteral(rest: string): Piece {
  const match = /^\\Q([\s\S]*?)(?:\\E|$)/.exec(rest);
  return match === null ? undefined : [match[0].length, (match[1] ?? '').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')];
}

function escaped(rest: string, inClass = false): Piece {
  if (!rest.startsWith('\\')) return undefined;
  const property = /^\\([pP])(?:([A-Z])|\{(\^?)([A-Za-z_]+)\})/.exec(rest);
  if (property !== null) {
    const [whole, letter = 'p', short, not, name = short ?? ''] = property;
    const sign = (letter === 'P') === (not === '^') ? 'p' : 'P';
    return [whole.length, `\\${sign}{${name.length > 2 ? `Script=${name}` : name}}`];
  }
  const code = /^\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(rest) ?? /^\\(?:()()(0[0-7]{0,2}))/.exec(rest);
  if (code !== null)
    return [code[0].length, `\\u{${code[3] === undefined ? (code[1] ?? code[2]) : Number.parseInt(code[3], 8).toString(16)}}`];
  const letter = rest.slice(1, 2);
  const known = (inClass ? CLASS_ESCAPES : ESCAPES)[letter];
  if (known !== undefined) return [2, known];
  if (/[A-Za-z0-9]/.test(letter) || letter === '') throw new SyntaxError(`\\${letter} is unknown`);
  const character = String.fromCodePoint(rest.codePointAt(1) ?? 0);
  return [1 + character.length, /[\\^$.*+?()[\]{}|/-]/.test(character) && (inClass || character !== '-') ? `\\${character}` : character];
}

const BOTH_ESCAPES = { d: '\\d', D: '\\D', w: '\\w', W: '\\W', t: '\\t', n: '\\n', r: '\\r', f: '\\f', v: '\\v', a: '\\u0007' } as const;
const ESCAPES: Readonly<Record<string, string>> = {
  ...BOTH_ESCAPES,
  s: '[\\t\\n\\f\\r ]',
  S: '[^\\t\\n\\f\\r ]',
  b: '\\b',
  B: '\\B',
  A: '(?<![\\s\\S])',
  z: '(?![\\s\\S])',
};
const CLASS_ESCAPES: Readonly<Record<string, string>> = { ...BOTH_ESCAPES, s: '\\t\\n\\f\\r ', S: '\\S' };

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\u0000-\\u007f',
  blank: '\\t ',
  cntrl: '\\u0000-\\u001f\\u007f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

function characterClass(pattern: string): Piece {
  const start = /^\[\^?/.exec(pattern)?.[0];
  if (start === undefined) return undefined;
  let out = start;
  let at = start.length;
  do {
    const rest = pattern.slice(at);
    if (rest === '') throw new SyntaxError('a ] is missing');
    const posix = /^\[:(\w+):\]/.exec(rest);
    const inside = posix === null ? undefined : POSIX_CLASSES[posix[1] ?? ''];
    if (posix !== null && inside === undefined) throw new SyntaxError(`[:${posix[1]}:] is unknown`);
    const [length, text] =
      posix === null
        ? (escaped(rest, true) ?? [1, /^[[\](){}/|^]/.test(rest) ? `\\${rest[0]}` : rest.slice(0, 1)])
        : [posix[0].length, inside ?? ''];
    out += text;
    at += length;
  } while (pattern[at] !== ']');
  return [at + 1, `${out}]`];
}

function group(rest: string): Piece {
  if (!rest.startsWith('(?')) return undefined;
  const named = /^\(\?P?<([A-Za-z_]\w*)>/.exec(rest);
  if (named !== null) return [named[0].length, `(?<${named[1]}>`];
  if (rest.startsWith('(?:')) return [3, '(?:'];
  if (/^\(\?(<?[=!]|>)/.test(rest)) throw new SyntaxError('Go has no look-around');
  throw new SyntaxError(`${/^\(\?[^:)]*[:)]?/.exec(rest)?.[0]} is not supported; flags stand at the start, such as (?i)`);
}

function repetition(rest: string): Piece {
  const match = /^\{\d+(?:,\d*)?\}/.exec(rest);
  return match === null ? undefined : [match[0].length, match[0]];
}
