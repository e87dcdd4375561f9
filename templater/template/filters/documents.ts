import type { DocumentOptions, ParseOptions, ScalarTag, SchemaOptions, ToJSOptions } from 'yaml';
import { textOf } from '../../../consul/byte-text.ts';
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
  parseJSON: (value) => parsed(asText(value), 'parseJSON', (text) => withFloats(jsonValue(text))),
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

/** @throws RangeError for a number that no float can hold; JavaScript would make it endless. */
function jsonValue(given: string): unknown {
  const text = /\\u[dD]|\p{Surrogate}/u.test(given) ? wellFormed(given) : given;
  if (!/\d{300}|\d[eE]\+?\d{3}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value: unknown) => {
    if (value === Infinity || value === -Infinity) throw new RangeError('a number is too large');
    return value;
  });
}

/** JSON with U+FFFD for what is half of a character, escaped or not, as Go reads it. */
function wellFormed(json: string): string {
  const isHalf = /\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)/g;
  return json
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(isHalf, (escaping, half?: string) => (half === undefined ? escaping : '\\ufffd'));
}

/** As go-yaml: what follows the first document is not looked at. */
function firstDocument(text: string): unknown {
  const document = yaml().parseDocument(text, YAML_OPTIONS);
  const wrong = document.errors.find(({ code }) => code !== 'MULTIPLE_DOCS');
  if (wrong !== undefined) throw wrong;
  yaml().visit(document, {
    Pair: (_, { key }) => {
      if (yaml().isCollection(key)) throw new TypeError('a list or a map is the key of a map');
    },
  });
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
    // What a tag says of a scalar holds for a quoted one too, and has to be true.
    tagged('int', Number.isInteger),
    tagged('float', (value) => typeof value === 'number'),
    tagged('bool', (value) => typeof value === 'boolean'),
    tagged('null', (value) => value === null),
    { tag: 'tag:yaml.org,2002:binary', resolve: base64Text },
    { tag: 'tag:yaml.org,2002:set', collection: 'map' },
    { tag: 'tag:yaml.org,2002:omap', collection: 'seq' },
    ...tags.filter((tag) => typeof tag === 'string' || !isOfTime(tag)),
  ],
};

function tagged(name: string, isOf: (value: unknown) => boolean): ScalarTag {
  return {
    tag: `tag:yaml.org,2002:${name}`,
    resolve: (text, onError) => {
      const value: unknown = yaml().parse(text, YAML_OPTIONS);
      if (!isOf(value)) onError(`a value is no !!${name}`);
      return value;
    },
  };
}

function base64Text(text: string, onError: (message: string) => void): string {
  const base64 = text.replace(/\s/g, '');
  if (!/^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/.test(base64) || base64.includes('_')) onError('a value is no !!binary');
  return textOf(Buffer.from(base64, 'base64'));
}

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
  // A byte that is no UTF-8 stands as a lone surrogate, which JSON has no other way to write.
  const known = text.includes('\\ud')
    ? text.replace(/\\(?:ud[89a-f]..|.)/g, (escaping) => (escaping.length > 2 ? '\\ufffd' : escaping))
    : text;
  return known.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
};

function escaped(json: string): string {
  return json.replace(/[<>&]/g, (character) => ESCAPES[character] ?? character);
}
