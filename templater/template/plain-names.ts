import { isNode, type TemplateNode, type TemplateParser } from './template-tree.ts';

/**
 * Makes Nunjucks refuse names that are none. Its compiler writes the names of variables, macros, filters and tests into the JavaScript that
 * a template becomes as they stand, and takes texts for names: one with a quote in it would be a program of its own.
 */
export function closeParser(parser: TemplateParser): void {
  const { parse } = parser;
  parser.parse = (source, ...rest) => {
    const tree = parse(source, ...rest);
    refuseOtherNames(tree);
    return tree;
  };
}

/** @throws SyntaxError for what stands where a name belongs, and is none. */
function refuseOtherNames(part: unknown): void {
  if (Array.isArray(part)) {
    for (const each of part) refuseOtherNames(each);
    return;
  }
  if (!isNode(part)) return;
  if (part.typename === 'Symbol' && !isName(part['value'])) throw noName(part, part['value']);
  for (const name of namesOf(part))
    if (!isNode(name) || name.typename !== 'Symbol') throw noName(part, isNode(name) ? name['value'] : name);
  if (part.typename === 'FunCall') refuseOddTexts(part['name']);
  for (const field of Object.values(part)) refuseOtherNames(field);
}

/** Where the compiler takes a name, by the kind of node. */
const NAMES: Readonly<Record<string, (node: TemplateNode) => readonly unknown[]>> = {
  Set: ({ targets }) => targets as readonly unknown[],
  For: ({ name }) => loopNames(name),
  AsyncEach: ({ name }) => loopNames(name),
  AsyncAll: ({ name }) => loopNames(name),
  Macro: ({ name, args }) => [name, ...parameters(args)],
  Caller: ({ name, args }) => [name, ...parameters(args)],
  Import: ({ target }) => [target],
  FromImport: ({ names }) => childrenOf(names).flatMap((name) => (isPair(name) ? [name['key'], name['value']] : [name])),
  Block: ({ name }) => [name],
  Filter: ({ name }) => [name],
  FilterAsync: ({ name }) => [name],
  Is: ({ right }) => [isNode(right) && right.typename === 'FunCall' ? right['name'] : right].filter((test) => !isWord(test)),
};

function namesOf(node: TemplateNode): readonly unknown[] {
  return NAMES[node.typename]?.(node) ?? [];
}

function loopNames(name: unknown): readonly unknown[] {
  return isNode(name) && name.typename === 'Array' ? childrenOf(name) : [name];
}

/** Of a macro, with the names of those that have a default. */
function parameters(args: unknown): readonly unknown[] {
  return childrenOf(args).flatMap((one) =>
    isNode(one) && one.typename === 'KeywordArgs' ? childrenOf(one).map((pair) => (isPair(pair) ? pair['key'] : pair)) : [one],
  );
}

/** The test of `x is none`, `x is true`. */
function isWord(test: unknown): boolean {
  return isNode(test) && test.typename === 'Literal' && (test['value'] === null || typeof test['value'] === 'boolean');
}

/** What is called is named in the message for one that is no function. */
function refuseOddTexts(called: unknown): void {
  if (!isNode(called)) return;
  if (typeof called['value'] === 'string' && /[\\\p{Cc}\u2028\u2029]/u.test(called['value'])) throw noName(called, called['value']);
  for (const part of [called['name'], called['target'], called['val']]) refuseOddTexts(part);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.split('.').every((part) => /^[$_\p{ID_Start}][$\p{ID_Continue}]*$/u.test(part));
}

function noName({ lineno }: TemplateNode, value: unknown): SyntaxError {
  return new SyntaxError(`[Line ${lineno + 1}] ${JSON.stringify(value) ?? 'this'} is no name: a name is made of letters, digits and _`);
}

function childrenOf(node: unknown): readonly unknown[] {
  return isNode(node) && Array.isArray(node['children']) ? node['children'] : [];
}

function isPair(value: unknown): value is TemplateNode {
  return isNode(value) && value.typename === 'Pair';
}
