import { FILTERS } from './filters/table.ts';
import { FUNCTIONS } from './functions/table.ts';
import { isNode, type TemplateNode } from './template-tree.ts';

const BRIEF_NODES = new Set(
  'Root NodeList Output TemplateData If InlineIf Group Symbol Literal Array Dict Pair KeywordArgs LookupVal FunCall Filter And Or Not In Is Compare CompareOperand Concat Add Sub Mul Div FloorDiv Mod Neg Pos'.split(
    ' ',
  ),
);
/** Functions whose answer is as long as their arguments say. */
const COUNTING = new Set(['loop', 'range']);

/**
 * Whether a template can only take the time of its own length: values, conditions, our functions and our filters, whose time grows with the data.
 * No loop, macro, include, regular expression of JavaScript's, method, or filter of Nunjucks' own; no variable either, which could stand for one. Pure.
 */
export function isBrief(node: TemplateNode): boolean {
  if (!BRIEF_NODES.has(node.typename)) return false;
  const { value, name } = node;
  if (value instanceof RegExp) return false;
  if (node.typename === 'FunCall' && !isSymbolOf(FUNCTIONS, name)) return false;
  if (node.typename === 'Filter' && !isSymbolOf(FILTERS, name)) return false;
  return node.fields.every((field) => inside(node[field]).every(isBrief));
}

function isSymbolOf(table: Readonly<Record<string, unknown>>, name: unknown): boolean {
  const [symbol] = inside(name);
  const text = symbol?.['value'];
  return symbol?.typename === 'Symbol' && typeof text === 'string' && Object.hasOwn(table, text) && !COUNTING.has(text);
}

function inside(held: unknown): readonly TemplateNode[] {
  const all: readonly unknown[] = Array.isArray(held) ? held : [held];
  return all.filter(isNode);
}
