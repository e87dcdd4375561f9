/** A node of the tree that Nunjucks' parser makes of a template. */
export interface TemplateNode {
  readonly typename: string;
  /** Counted from 0. */
  readonly lineno: number;
  /** Names of the members that may hold further nodes, or lists of them. */
  readonly fields: readonly string[];
  readonly [field: string]: unknown;
}

/** The part of Nunjucks that templates, and what they include, are parsed with. */
export interface TemplateParser {
  parse: (source: string, ...rest: readonly unknown[]) => TemplateNode;
}

export function isNode(value: unknown): value is TemplateNode {
  return typeof value === 'object' && value !== null && 'typename' in value;
}
