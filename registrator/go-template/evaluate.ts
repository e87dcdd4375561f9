import { FUNCTIONS, isTrue, printed } from './functions.ts';
import { type Command, type Node, type Operand, type Pipeline, TemplateError } from './parse.ts';

/** What a template sees: the value at hand, its variables by name (`$` is the value it was given), and how `httpGet` asks. */
interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, unknown>;
  readonly ask: (url: string) => string;
}

/** The text of a template over a value; `ask` is its `httpGet`. @throws TemplateError when it cannot be carried out, and what `ask` throws. */
export function renderTemplate(nodes: readonly Node[], value: unknown, ask: Scope['ask']): string {
  return renderNodes(nodes, { dot: value, variables: new Map([['$', value]]), ask });
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
      scope.variables.set(node.variable, evaluate(node.pipeline, scope));
      return '';
    case 'block':
      return renderBlock(node, scope);
  }
}

function renderBlock({ block, pipeline, body, otherwise }: Extract<Node, { kind: 'block' }>, scope: Scope): string {
  const value = evaluate(pipeline, scope);
  const inner = (dot: unknown): Scope => ({ ...scope, dot, variables: new Map(scope.variables) });
  if (!isTrue(value)) return renderNodes(otherwise, inner(scope.dot));
  if (block === 'range')
    return elements(value)
      .map((item) => renderNodes(body, inner(item)))
      .join('');
  return renderNodes(body, inner(block === 'with' ? value : scope.dot));
}

/** A map is gone through by its keys, sorted. */
function elements(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (!isMap(value)) throw new TemplateError(`range cannot go through ${printed(value)}`);
  return Object.keys(value)
    .sort()
    .map((key) => value[key]);
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
  if (!scope.variables.has(root)) throw new TemplateError(`there is no variable ${root}`);
  return scope.variables.get(root);
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
