import type { DocumentOptions, ParseOptions, SchemaOptions, ToJSOptions } from 'yaml';
import { yaml } from '../lazy-packages.ts';
import { withFloats } from './go-floats.ts';
import { sortedValue } from './sorted-value.ts';
import { withoutSpace } from './text.ts';
import { tomlText } from './toml-text.ts';
import { asText, type Filter } from './values.ts';
import { yamlText } from './yaml-text.ts';

/** JSON, YAML and TOML: read, and written as Go writes them. Pure. */
export const documentFilters = {
  /** An empty text is an empty map. */
  parseJSON: (value) => parsed(asText(value), 'parseJSON', (text) => withFloats(JSON.parse(text))),
  parseYAML: (value) => parsed(asText(value), 'parseYAML', firstDocument),
  toJSON: (value) => escaped(jsonText(value)),
  toJSONPretty: (value) => escaped(jsonText(value, 2)),
  toUnescapedJSON: (value) => jsonText(value),
  toUnescapedJSONPretty: (value) => jsonText(value, 2),
  toYAML: (value) => withoutSpace(yamlText(sortedValue(value))),
  toTOML: (value) => {
    if (value === undefined || value === null) throw new TypeError('toTOML: needs a value, got nothing');
    return withoutSpace(tomlText(sortedValue(value)));
  },
} satisfies Record<string, Filter>;

/** As go-yaml: what follows the first document is not looked at. */
function firstDocument(text: string): unknown {
  const document = yaml().parseDocument(text, YAML_OPTIONS);
  const wrong = document.errors.find(({ code }) => code !== 'MULTIPLE_DOCS');
  if (wrong !== undefined) throw wrong;
  return document.toJS(YAML_OPTIONS);
}

/** YAML 1.1, with the octal numbers of 1.2, as go-yaml reads it; of a key that stands twice the last value counts. */
const YAML_OPTIONS: ParseOptions & DocumentOptions & SchemaOptions & ToJSOptions = {
  version: '1.1',
  maxAliasCount: 100,
  merge: true,
  uniqueKeys: false,
  customTags: (tags) => [
    { tag: 'tag:yaml.org,2002:int', default: true, test: /^0o[0-7]+$/, resolve: Number },
    ...tags.filter((tag) => typeof tag === 'string' || !isOfTime(tag)),
  ],
};

/** Dates, and numbers such as `12:30`, which go-yaml reads as texts. */
function isOfTime({ tag, format }: { readonly tag: string; readonly format?: string }): boolean {
  return tag === 'tag:yaml.org,2002:timestamp' || format === 'TIME';
}

function parsed(text: string, filter: string, parse: (text: string) => unknown): unknown {
  if (text === '') return {};
  try {
    return parse(text);
  } catch (cause) {
    throw new TypeError(`${filter}: ${cause instanceof Error ? withoutSource(cause.message) : String(cause)}`, { cause });
  }
}

/** The first line of a parser's message, without what it read: that may be a secret. */
function withoutSource(message: string): string {
  const own = message.replace(/(?: '[^']{1,2}')?, [\s\S]*is not valid JSON$/, ' here: this is no JSON');
  return own.split('\n')[0] ?? '';
}

function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(sortedValue(value, null), undefined, indent) ?? 'null';
  return text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
};

function escaped(json: string): string {
  return json.replace(/[<>&]/g, (character) => ESCAPES[character] ?? character);
}
