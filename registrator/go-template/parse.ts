/** A template is wrong, or cannot be carried out on what it was given. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | { readonly kind: 'set'; readonly variable: string; readonly isNew: boolean; readonly pipeline: Pipeline }
  | {
      readonly kind: 'block';
      readonly block: Block;
      /** What `$x :=` before its pipeline names: the value; of a range the element, or its key and the element. */
      readonly variables: readonly string[];
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

type Block = 'if' | 'with' | 'range';

/** Commands joined by `|`: what one gives is the last argument of the next. */
export type Pipeline = readonly Command[];

/** An operand, or a function and its arguments. */
export type Command = readonly Operand[];

export type Operand =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null }
  | { readonly kind: 'path'; readonly root: 'dot' | `$${string}` | Pipeline; readonly fields: readonly string[] }
  | { readonly kind: 'function'; readonly name: string };

type Token = { readonly kind: 'word' | 'string' | 'number' | 'path' | 'variable' | 'mark'; readonly text: string };

/**
 * The part of Go's text/template that tags are written in: text and `{{…}}` with fields, variables, pipelines, functions,
 * parentheses, `if`/`else if`/`else`, `with`, `range`, comments and trimming.
 * @throws TemplateError for anything else.
 */
export function parseTemplate(source: string): readonly Node[] {
  const pieces = splitActions(source);
  const { nodes, ended } = parseNodes(pieces);
  if (ended !== undefined) throw new TemplateError(`{{${ended}}} without a beginning`);
  return nodes;
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly text: string };

/** `{{- ` takes the white space before it away, ` -}}` that after it. */
function splitActions(source: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = source;
  for (let at = rest.indexOf('{{'); at >= 0; at = rest.indexOf('{{')) {
    const action = /^\{\{(-\s)?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|\/\*.*?\*\/|(?!\}\}).)*?)(\s-)?\}\}/s.exec(rest.slice(at));
    if (action === null) throw new TemplateError('{{ without }}');
    const [whole, trimBefore, text = '', trimAfter] = action;
    const before = rest.slice(0, at);
    pieces.push({ kind: 'text', text: trimBefore === undefined ? before : before.trimEnd() });
    if (!/^\s*\/\*.*\*\/\s*$/s.test(text)) pieces.push({ kind: 'action', tokens: tokenize(text), text: text.trim() });
    rest = rest.slice(at + whole.length);
    if (trimAfter !== undefined) rest = rest.trimStart();
  }
  return [...pieces, { kind: 'text', text: rest }];
}

const TOKENS: readonly (readonly [Token['kind'] | 'blank', RegExp])[] = [
  ['blank', /^\s+/],
  ['string', /^(?:"(?:[^"\\]|\\.)*"|`[^`]*`)/s],
  ['number', /^-?\d+(?:\.\d+)?/],
  ['path', /^(?:\.[A-Za-z_][A-Za-z0-9_]*)+|^\./],
  ['variable', /^\$[A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/],
  ['word', /^[A-Za-z_][A-Za-z0-9_]*/],
  ['mark', /^(?::=|=|\(|\)|\||,)/],
];

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let rest = text; rest !== ''; ) {
    const found = TOKENS.map(([kind, pattern]) => ({ kind, match: pattern.exec(rest)?.[0] })).find(({ match }) => match !== undefined);
    if (found?.match === undefined) throw new TemplateError(`{{${text}}}: ${JSON.stringify(rest.slice(0, 10))} is not understood`);
    if (found.kind !== 'blank') tokens.push({ kind: found.kind, text: found.match });
    rest = rest.slice(found.match.length);
  }
  return tokens;
}

/** Reads to the end of the pieces, or to an `end` or `else`, which it answers as `ended`. */
function parseNodes(pieces: Piece[]): { nodes: Node[]; ended?: string; tokens?: readonly Token[] } {
  const nodes: Node[] = [];
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    if (piece.kind === 'text') {
      if (piece.text !== '') nodes.push(piece);
      continue;
    }
    const [first, ...rest] = piece.tokens;
    if (first === undefined) throw new TemplateError('{{}} says nothing');
    if (first.kind === 'word' && (first.text === 'end' || first.text === 'else')) return { nodes, ended: first.text, tokens: rest };
    if (first.kind === 'word' && isBlock(first.text)) nodes.push(parseBlock(first.text, rest, pieces));
    else nodes.push(parseAction(piece.tokens));
  }
  return { nodes };
}

function isBlock(word: string): word is Block {
  return word === 'if' || word === 'with' || word === 'range';
}

function parseBlock(block: Block, tokens: readonly Token[], pieces: Piece[]): Node {
  const { variables, rest } = declared(tokens, block === 'range' ? 2 : 1);
  const pipeline = parseWholePipeline(rest);
  const body = parseNodes(pieces);
  if (body.ended === undefined) throw new TemplateError(`{{${block}}} without {{end}}`);
  return {
    kind: 'block',
    block,
    variables,
    pipeline,
    body: body.nodes,
    otherwise: body.ended === 'else' ? parseElse(body.tokens ?? [], block, pieces) : [],
  };
}

/** `$x :=`, and in a range `$key, $x :=`. */
function declared(tokens: readonly Token[], most: number): { variables: readonly string[]; rest: readonly Token[] } {
  const end = tokens.findIndex(({ text }) => text === ':=');
  const variables = tokens.slice(0, end).filter((_, index) => index % 2 === 0);
  const commas = tokens.slice(0, end).filter((_, index) => index % 2 === 1);
  const isGood = variables.length <= most && variables.every(({ kind }) => kind === 'variable') && commas.every(({ text }) => text === ',');
  if (end < 1 || !isGood || variables.length === commas.length) return { variables: [], rest: tokens };
  return { variables: variables.map(({ text }) => text), rest: tokens.slice(end + 1) };
}

function parseElse(tokens: readonly Token[], block: Block, pieces: Piece[]): readonly Node[] {
  const [first, ...rest] = tokens;
  if (first !== undefined && isBlock(first.text)) return [parseBlock(first.text, rest, pieces)];
  if (first !== undefined) throw new TemplateError(`{{else ${first.text}}} is not understood`);
  const { nodes, ended } = parseNodes(pieces);
  if (ended !== 'end') throw new TemplateError(`{{${block}}} without {{end}}`);
  return nodes;
}

function parseAction(tokens: readonly Token[]): Node {
  const [variable, mark, ...rest] = tokens;
  if (variable?.kind === 'variable' && (mark?.text === ':=' || mark?.text === '=')) {
    return { kind: 'set', variable: variable.text, isNew: mark.text === ':=', pipeline: parseWholePipeline(rest) };
  }
  return { kind: 'print', pipeline: parseWholePipeline(tokens) };
}

function parseWholePipeline(tokens: readonly Token[]): Pipeline {
  const left = [...tokens];
  const pipeline = parsePipeline(left);
  if (left[0] !== undefined) throw new TemplateError(`${JSON.stringify(left[0].text)} is not understood here`);
  return pipeline;
}

/** Takes its tokens away. */
function parsePipeline(tokens: Token[]): Pipeline {
  const commands: Operand[][] = [[]];
  for (let token = tokens[0]; token !== undefined && token.text !== ')'; token = tokens[0]) {
    tokens.shift();
    if (token.kind === 'mark' && token.text === '|') commands.push([]);
    else commands.at(-1)?.push(parseOperand(token, tokens));
  }
  if (commands.some((command) => command.length === 0)) throw new TemplateError('a value is missing');
  return commands;
}

function parseOperand(token: Token, tokens: Token[]): Operand {
  switch (token.kind) {
    case 'string':
      return { kind: 'value', value: token.text.startsWith('`') ? token.text.slice(1, -1) : unquoted(token.text) };
    case 'number':
      return { kind: 'value', value: Number(token.text) };
    case 'path':
      return { kind: 'path', root: 'dot', fields: token.text.split('.').filter((field) => field !== '') };
    case 'variable': {
      const [name = '$', ...fields] = token.text.split('.');
      return { kind: 'path', root: name as `$${string}`, fields };
    }
    case 'word':
      return parseWord(token.text);
    case 'mark':
      return parseParentheses(token, tokens);
  }
}

function unquoted(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch (cause) {
    throw new TemplateError(`${literal} is no string`, { cause });
  }
}

function parseWord(word: string): Operand {
  if (word === 'true' || word === 'false') return { kind: 'value', value: word === 'true' };
  return word === 'nil' ? { kind: 'value', value: null } : { kind: 'function', name: word };
}

function parseParentheses(token: Token, tokens: Token[]): Operand {
  if (token.text !== '(') throw new TemplateError(`${JSON.stringify(token.text)} is not understood here`);
  const root = parsePipeline(tokens);
  if (tokens.shift()?.text !== ')') throw new TemplateError('( without )');
  const fields = tokens[0]?.kind === 'path' && tokens[0].text !== '.' ? (tokens.shift()?.text.split('.').slice(1) ?? []) : [];
  return { kind: 'path', root, fields };
}
