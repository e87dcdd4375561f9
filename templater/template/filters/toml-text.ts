import { holdsFloats } from './go-floats.ts';
import { isMap, type ValueMap } from './values.ts';

/**
 * A map as Go's TOML encoder writes it, without the line end: plain values first, then tables, each level two spaces further in; anything else
 * as the value it would be. Pure. @throws TypeError for a list with `null` in it.
 */
export function tomlText(value: unknown): string {
  return isMap(value) ? tableLines(value, []).join('\n').replace(/^\n+/, '') : valueText(value, false);
}

type Path = readonly string[];

/** A `null` is not written: TOML has none. */
function tableLines(map: ValueMap, path: Path): readonly string[] {
  const entries = Object.entries(map).filter(([, value]) => value !== null);
  const inner = '  '.repeat(path.length);
  return [
    ...entries
      .filter(([, value]) => !isTables(value))
      .map(([key, value]) => `${inner}${keyText(key)} = ${valueText(value, holdsFloats(map))}`),
    ...entries.filter(([, value]) => isTables(value)).flatMap(([key, value]) => subTables([...path, key], value)),
  ];
}

function isTables(value: unknown): boolean {
  return isMap(value) || (Array.isArray(value) && value.length > 0 && value.every(isMap));
}

/** Tables of the top, and each of a list of tables, stand after an empty line. */
function subTables(path: Path, value: unknown): readonly string[] {
  const [outer, name] = ['  '.repeat(path.length - 1), path.map(keyText).join('.')];
  if (Array.isArray(value)) return value.flatMap((item) => ['', `${outer}[[${name}]]`, ...tableLines(item as ValueMap, path)]);
  return [...(path.length === 1 ? [''] : []), `${outer}[${name}]`, ...tableLines(value as ValueMap, path)];
}

function valueText(value: unknown, isFloat: boolean): string {
  if (value === null) throw new TypeError('toTOML: a list with null in it cannot be written as TOML');
  if (Array.isArray(value)) return `[${value.map((item) => valueText(item, holdsFloats(value))).join(', ')}]`;
  if (isMap(value))
    return `{${inlineEntries(value)
      .map(([key, item]) => `${keyText(key)} = ${valueText(item, holdsFloats(value))}`)
      .join(', ')}}`;
  return typeof value === 'number' ? numberText(value, isFloat) : typeof value === 'string' ? quoted(value) : String(value);
}

/** As in a table: plain values first, and no `null`. */
function inlineEntries(map: ValueMap): readonly [string, unknown][] {
  const entries = Object.entries(map).filter(([, value]) => value !== null);
  return [...entries.filter(([, value]) => !isTables(value)), ...entries.filter(([, value]) => isTables(value))];
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key);
}

/** Without an exponent. */
function numberText(value: number, isFloat: boolean): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? '+inf' : '-inf';
  if (Number.isInteger(value)) return `${Object.is(value, -0) ? '-' : ''}${BigInt(value)}${isFloat ? '.0' : ''}`;
  const decimals = /^-?\d\.?(\d*)e([+-]\d+)$/.exec(value.toExponential());
  return value.toFixed(Math.min(100, Math.max(0, (decimals?.[1] ?? '').length - Number(decimals?.[2] ?? 0))));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
};

function quoted(text: string): string {
  const escaped = text.replace(
    /["\\]|[\p{Cc}]/gu,
    (character) => ESCAPES[character] ?? (character > '\x7f' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
  return `"${escaped}"`;
}
