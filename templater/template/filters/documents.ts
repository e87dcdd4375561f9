import { toml, yaml } from '../lazy-packages.ts';
import { sortedValue } from './sorted-value.ts';
import { asText, type Filter, isMap, shown } from './values.ts';
import { yamlText } from './yaml-text.ts';

/** JSON, YAML and TOML: read, and written as Go writes them. Pure. */
export const documentFilters = {
  /** An empty text is an empty map. */
  parseJSON: (value) => parsed(asText(value), 'parseJSON', (text) => JSON.parse(text)),
  parseYAML: (value) => parsed(asText(value), 'parseYAML', (text) => yaml().parse(text, { version: '1.1', maxAliasCount: 100 })),
  toJSON: (value) => escaped(jsonText(value)),
  toJSONPretty: (value) => escaped(jsonText(value, 2)),
  toUnescapedJSON: (value) => jsonText(value),
  toUnescapedJSONPretty: (value) => jsonText(value, 2),
  toYAML: (value) => yamlText(sortedValue(value)),
  toTOML: (value) => {
    const sorted = sortedValue(value);
    if (!isMap(sorted)) throw new TypeError(`toTOML: needs a map, got ${shown(value)}`);
    return toml().stringify(sorted).trimEnd();
  },
} satisfies Record<string, Filter>;

function parsed(text: string, filter: string, parse: (text: string) => unknown): unknown {
  if (text === '') return {};
  try {
    return parse(text);
  } catch (cause) {
    throw new TypeError(`${filter}: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}`, { cause });
  }
}

function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(sortedValue(value), undefined, indent) ?? 'null';
}

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function escaped(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (character) => ESCAPES[character] ?? character);
}
