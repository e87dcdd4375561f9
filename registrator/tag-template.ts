import { renderTemplate } from './go-template/evaluate.ts';
import { type Node, parseTemplate, TemplateError } from './go-template/parse.ts';
import { parseTags } from './tags.ts';

/** The tags that every service gets, each a template over the inspection of its container. */
export interface TagTemplate {
  /** Whether it looks at the container at all. */
  readonly isDynamic: boolean;
  /** A tag that cannot be made is left out, and is a fault. `ask` is its `httpGet`, and throws TemplateError where there is no answer. */
  readonly render: (inspection: unknown, ask: (url: string) => string) => { tags: readonly string[]; faults: readonly TagFault[] };
}

export interface TagFault {
  readonly reason: string;
}

/** Reads a list of templates: commas outside of `{{…}}` and of blocks part them, so that each fails alone. @throws TemplateError */
export function parseTagTemplate(source: string): TagTemplate {
  const parts = splitAtCommas(parseTemplate(source));
  return {
    isDynamic: parts.some((nodes) => nodes.some(({ kind }) => kind !== 'text')),
    render: (inspection, ask) => {
      const faults: TagFault[] = [];
      const tags = parts.flatMap((nodes) => {
        try {
          return parseTags(renderTemplate(nodes, inspection, ask));
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error;
          faults.push({ reason: `${error.message}: the tag is left out` });
          return [];
        }
      });
      return { tags, faults };
    },
  };
}

/** What sets a variable goes with every part after it. */
function splitAtCommas(nodes: readonly Node[]): readonly (readonly Node[])[] {
  const parts: Node[][] = [[]];
  const variables: Node[] = [];
  for (const node of nodes) {
    if (node.kind === 'set') variables.push(node);
    const [first = '', ...more] = node.kind === 'text' ? node.text.split(/(?<!\\),/) : [undefined];
    parts.at(-1)?.push(node.kind === 'text' ? { kind: 'text', text: first ?? '' } : node);
    for (const text of more) parts.push([...variables, { kind: 'text', text: text ?? '' }]);
  }
  return parts;
}
