/** A value of HCL 1. A block is a map; a name that is given several times is kept as often as it is given. */
export type HclValue = string | number | boolean | readonly HclValue[] | HclBlock;
export interface HclBlock {
  readonly entries: readonly { readonly name: string; readonly value: HclValue; readonly line: number }[];
}

/** What the text is made of; the first row that matches at a position counts. Spaces and comments are left out. */
const TOKENS = [
  ['skip', /\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//y],
  ['heredoc', /<<(-?)(\w+)\r?\n([\s\S]*?)^[ \t]*\2[ \t]*$/my],
  ['string', /"(?:[^"\\\n]|\\.|\$\{[^}]*\})*"/y],
  ['number', /-?\d+(?:\.\d+)?(?![\w.])/y],
  ['word', /[A-Za-z_][\w.-]*/y],
  ['sign', /[{}[\]=,:]/y],
] as const;

interface Token {
  readonly kind: (typeof TOKENS)[number][0] | 'end';
  readonly text: string;
  readonly value: string;
  readonly line: number;
}

/** Reads HCL 1, or JSON, which it contains. Pure. @throws SyntaxError with the line. */
export function parseHcl(text: string): HclBlock {
  const tokens = tokensOf(text);
  let at = 0;
  const peek = (): Token => tokens[at] ?? END;
  const take = (): Token => tokens[at++] ?? END;
  const is = (sign: string) => peek().kind === 'sign' && peek().text === sign;

  function entries(end: '}' | undefined): HclBlock {
    const found: HclBlock['entries'][number][] = [];
    while (end === undefined ? peek().kind !== 'end' : !is(end)) {
      const { kind, value: name, line } = take();
      if (kind !== 'word' && kind !== 'string')
        throw new SyntaxError(`line ${line}: expected a name${kind === 'end' ? ', not the end' : ''}`);
      if (is('=') || is(':')) take();
      found.push({ name, value: valueOrBlock(), line });
      if (is(',')) take();
    }
    if (end !== undefined) take();
    return { entries: found };
  }

  /** A block may have labels: `template "name" { … }`. */
  function valueOrBlock(): HclValue {
    if (peek().kind === 'string' && tokens[at + 1]?.text === '{' && tokens[at - 1]?.text !== '=' && tokens[at - 1]?.text !== ':') {
      const { value: name, line } = take();
      return { entries: [{ name, value: valueOrBlock(), line }] };
    }
    return value();
  }

  function value(): HclValue {
    const { kind, text: word, value: content, line } = take();
    if (kind === 'string' || kind === 'heredoc') return content;
    if (kind === 'number') return /^0[0-7]+$/.test(word) ? Number.parseInt(word, 8) : Number(word);
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === '{') return entries('}');
    if (word !== '[') throw new SyntaxError(`line ${line}: expected a value${kind === 'end' ? ', not the end' : `, not ${word}`}`);
    const list: HclValue[] = [];
    while (!is(']')) {
      list.push(value());
      if (is(',')) take();
    }
    take();
    return list;
  }

  // A JSON file is one block without a name.
  if (!is('{')) return entries(undefined);
  take();
  return entries('}');
}

const END: Token = { kind: 'end', text: '', value: '', line: 0 };

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at, line);
    if (token.kind !== 'skip') tokens.push(token);
    line += token.text.split('\n').length - 1;
    at += token.text.length;
  }
  return [...tokens, { ...END, line }];
}

function tokenAt(text: string, at: number, line: number): Token {
  for (const [kind, pattern] of TOKENS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) continue;
    const [whole, dash = '', , body = ''] = match;
    if (kind === 'heredoc') return { kind, text: whole, value: dash === '-' ? unindented(body) : body, line };
    return { kind, text: whole, value: kind === 'string' ? unquoted(whole) : whole, line };
  }
  throw new SyntaxError(`line ${line}: unexpected ${JSON.stringify(text.slice(at, at + 10))}`);
}

function unquoted(quoted: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
  return quoted
    .slice(1, -1)
    .replace(/\\(u([0-9a-fA-F]{4})|.)/gs, (_, letter: string, code: string | undefined) =>
      code === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
    );
}

/** Takes the white space away that all lines begin with. */
function unindented(body: string): string {
  const lines = body.split('\n');
  const least = Math.min(...lines.filter((each) => each.trim() !== '').map((each) => each.search(/\S/)));
  return Number.isFinite(least) ? lines.map((each) => each.slice(least)).join('\n') : body;
}
