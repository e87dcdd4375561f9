import { byteOrder } from '../../model/compare.ts';
import { FUNCTIONS, isTrue } from './functions.ts';
import { type Command, type Node, type Operand, type Pipeline, TemplateError } from './parse.ts';
import { printed } from './printed.ts';

/** What a template sees: the value at hand, its variables by name (`$` is the value it was given), and how `httpGet` asks. */
interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, Variable>;
  readonly ask: (url: string) => string;
}

/** What a block inside sets with `=` is set outside, too. */
interface Variable {
  value: unknown;
}

/** The text of a template over a value; `ask` is its `httpGet`. @throws TemplateError when it cannot be carried out, and what `ask` throws. */
export function renderTemplate(nodes: readonly Node[], value: unknown, ask: Scope['ask']): string {
  return renderNodes(nodes, { dot: value, variables: new Map([['$', { value }]]), ask });
}

function renderNodes(nodes: readonly Node[], scope: Scope): string {
  return nodes.map((node) => renderNode(node, scope)).join('');
}

function renderNode(node: Node, scope: Scope): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'print':
      return printed(evaluate(node.pipeline, scope));
    case 'set':
      setVariable(node, scope);
      return '';
    case 'block':
      return renderBlock(node, scope);
  }
}

function setVariable({ variable, isNew, pipeline }: Extract<Node, { kind: 'set' }>, scope: Scope): void {
  const value = evaluate(pipeline, scope);
  if (isNew) scope.variables.set(variable, { value });
  else variableOf(variable, scope).value = value;
}

function renderBlock({ block, variables, pipeline, body, otherwise }: Extract<Node, { kind: 'block' }>, scope: Scope): string {
  const value = evaluate(pipeline, scope);
  const inner = (dot: unknown, values: readonly unknown[]): Scope => ({
    ...scope,
    dot,
    variables: new Map([...scope.variables, ...variables.map((name, index): [string, Variable] => [name, { value: values[index] }])]),
  });
  if (!isTrue(value)) return renderNodes(otherwise, inner(scope.dot, [value]));
  if (block === 'range')
    return elements(value)
      .map(([key, item]) => renderNodes(body, inner(item, variables.length === 1 ? [item] : [key, item])))
      .join('');
  return renderNodes(body, inner(block === 'with' ? value : scope.dot, [value]));
}

/** Of a list with their indexes; of a map with their keys, sorted. */
function elements(value: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return [...value.entries()];
  if (!isMap(value)) throw new TemplateError(`range cannot go through ${printed(value)}`);
  return Object.entries(value).sort(([a], [b]) => byteOrder(a, b));
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let piped: readonly unknown[] = [];
  for (const command of pipeline) piped = [runCommand(command, piped, scope)];
  return piped[0];
}

function runCommand(command: Command, piped: readonly unknown[], scope: Scope): unknown {
  const [first, ...rest] = command;
  if (first?.kind === 'function') {
    const values = () => [...rest.map((operand) => operandValue(operand, scope)), ...piped];
    if (first.name === 'httpGet') return scope.ask(printed(values()[0]));
    const called = FUNCTIONS[first.name];
    if (called === undefined)
      throw new TemplateError(`there is no function ${first.name}; there are httpGet, ${Object.keys(FUNCTIONS).join(', ')}`);
    return called(...values());
  }
  if (first === undefined || rest.length + piped.length > 0) throw new TemplateError('a value takes no arguments');
  return operandValue(first, scope);
}

function operandValue(operand: Operand, scope: Scope): unknown {
  switch (operand.kind) {
    case 'value':
      return operand.value;
    case 'function':
      return runCommand([operand], [], scope);
    case 'path':
      return operand.fields.reduce(fieldOf, rootOf(operand.root, scope));
  }
}

function rootOf(root: Extract<Operand, { kind: 'path' }>['root'], scope: Scope): unknown {
  if (root === 'dot') return scope.dot;
  if (typeof root !== 'string') return evaluate(root, scope);
  return variableOf(root, scope).value;
}

function variableOf(name: string, { variables }: Scope): Variable {
  const variable = variables.get(name);
  if (variable === undefined) throw new TemplateError(`there is no variable ${name}`);
  return variable;
}

/** Go knows fields by their Go names, an inspection by those of its JSON: `ID` is `Id`. A key that a map of text lacks is no error in Go. */
function fieldOf(value: unknown, field: string): unknown {
  if (!isMap(value)) throw new TemplateError(`.${field}: ${printed(value)} has no fields`);
  const key = Object.hasOwn(value, field) ? field : Object.keys(value).find((known) => known.toLowerCase() === field.toLowerCase());
  if (key !== undefined) return value[key];
  if (Object.values(value).every((item) => typeof item === 'string')) return undefined;
  throw new TemplateError(`.${field}: there is no such field; there are ${Object.keys(value).sort().join(', ')}`);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
