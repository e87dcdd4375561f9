import { encodedKeyPath, type KeyValue } from '../../../consul/key-values.ts';
import { asText, isMap } from '../filters/values.ts';
import type { Query } from '../query.ts';
import { keyQuestion, type PlaceQuestion } from '../query-string.ts';
import { type PairView, pairsView } from '../views.ts';
import type { Reader, TemplateFunction } from './reader.ts';

/** Consul's KV store. An empty path is no key, and an empty prefix has nothing below it, as in consul-template: everything is `ls("/")`. */
export const keyFunctions = {
  /** The template waits until there is such a key, unless a default is given: `key("a", "b")` or `key("a", {dc: "dc2", default: "b"})`. */
  key: (reader, path, options) => {
    const fallback = isMap(options) ? options['default'] : options;
    return fallback === undefined || fallback === null ? requiredKey(reader, path, options) : keyOr(reader, path, options, fallback);
  },
  keyExists: (reader, path, options) => path !== '' && readKey(reader, keyQuery(keyQuestion('keyExists', path, options))) !== undefined,
  /** An empty key counts as none. */
  keyOrDefault: (reader, path, fallback, options) => keyOr(reader, path, options, fallback),
  ls: (reader, prefix, options) => (prefix === '' ? [] : topLevel(reader.read(pairsQuery('ls', prefix, options)))),
  tree: (reader, prefix, options) => (prefix === '' ? [] : (reader.read(pairsQuery('tree', prefix, options)) ?? [])),
  /** As `ls`, but nothing there means that the template waits. */
  safeLs: (reader, prefix, options) => (prefix === '' ? [] : safe(reader, pairsQuery('safeLs', prefix, options), topLevel)),
  safeTree: (reader, prefix, options) => (prefix === '' ? [] : safe(reader, pairsQuery('safeTree', prefix, options), (pairs) => pairs)),
} satisfies Record<string, TemplateFunction>;

function requiredKey(reader: Reader, path: unknown, options: unknown): string {
  if (path === '') return '';
  const query = keyQuery(keyQuestion('key', path, options));
  const answer = readKey(reader, query);
  if (answer === undefined) reader.lacks(query, 'there is no such key; create it, or give a default: key(path, default)');
  return answer ?? '';
}

function keyOr(reader: Reader, path: unknown, options: unknown, fallback: unknown): unknown {
  const value = path === '' ? '' : readKey(reader, keyQuery(keyQuestion('key', path, isMap(options) ? options : undefined)));
  return value || asText(fallback);
}

function readKey(reader: Reader, query: Query): string | undefined {
  return reader.read(query) as string | undefined;
}

function keyQuery({ subject, dc, params }: PlaceQuestion): Query {
  if (subject === '') throw new SyntaxError('key: needs a path, got ""');
  const id = `key ${subject}${dc === '' ? '' : `@${dc}`}`;
  if (Object.keys(params).length === 0)
    return { id, source: { kind: 'key', path: subject, dc }, view: valueIn, size: (view) => (view === undefined ? 0 : 1) };
  return {
    id: `${id}?${new URLSearchParams(params)}`,
    source: { kind: 'consul', path: `/v1/kv/${encodedKeyPath(subject)}`, params, dc },
    view: (answer) => valueIn((pairsView(answer, '') as readonly unknown[])[0]),
  };
}

function valueIn(answer: unknown): string | undefined {
  return (answer as KeyValue | undefined)?.value;
}

function pairsQuery(call: string, prefix: unknown, options: unknown): Query {
  const { subject, dc, params } = keyQuestion(call, prefix, options);
  return {
    id: `tree ${subject}${dc === '' ? '' : `@${dc}`}${Object.keys(params).length === 0 ? '' : `?${new URLSearchParams(params)}`}`,
    source: { kind: 'consul', path: `/v1/kv/${encodedKeyPath(subject)}`, params: { recurse: 'true', ...params }, dc },
    view: (answer) => pairsView(answer, subject),
    size: (view) => (Array.isArray(view) ? view.length : 0),
  };
}

function topLevel(pairs: unknown): readonly PairView[] {
  return ((pairs ?? []) as readonly PairView[]).filter(({ key }) => key !== '' && !key.includes('/'));
}

function safe(reader: Reader, query: Query, choose: (pairs: unknown) => unknown): unknown {
  const pairs = choose(reader.read(query));
  if (Array.isArray(pairs) && pairs.length > 0) return pairs;
  reader.lacks(query, 'there is nothing below it, and the template says that this is not safe');
  return [];
}
