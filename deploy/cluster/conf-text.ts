/** One `KEY=value` of a file, and where it stands. */
export interface ConfEntry {
  readonly key: string;
  readonly value: string;
  /** `FILE:LINE`, for messages. */
  readonly where: string;
}

export interface ConfText {
  readonly entries: readonly ConfEntry[];
  readonly problems: readonly string[];
  /** Keys whose lines could not be read: they are not missing. */
  readonly broken: readonly string[];
}

/**
 * Reads text that looks like a shell's assignments, and is never run: `KEY=value`, `KEY='value'`, `KEY="value"`, `export KEY=value`, comments.
 * What a shell would expand or run (`$`, backticks, `;`, `|`, `&`, `<`, `>`, parentheses) is a problem, not a value, unless it stands in
 * single quotes; those hold any text but a single quote. A value ends with its line. Pure.
 */
export function parseConfText(text: string, file: string): ConfText {
  const entries: ConfEntry[] = [];
  const problems: string[] = [];
  const broken: string[] = [];
  text.split(/\r?\n|\r$/).forEach((line, index) => {
    const where = `${file}:${index + 1}`;
    if (/^\s*(#.*)?$/.test(line)) return;
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match === null) {
      problems.push(`${where}: must be KEY=value without spaces around =, got ${shown(line)}`);
      broken.push(/^\s*([A-Za-z_][A-Za-z0-9_]*)/.exec(line)?.[1] ?? '');
      return;
    }
    const [, key = '', raw = ''] = match;
    const parsed = parseValue(raw);
    if (parsed.kind === 'value') entries.push({ key, value: parsed.value, where });
    else {
      problems.push(`${where}: ${key}: ${parsed.why}`);
      broken.push(key);
    }
  });
  return { entries, problems, broken };
}

type ParsedValue = { readonly kind: 'value'; readonly value: string } | { readonly kind: 'wrong'; readonly why: string };

const NEVER_RUN = 'this file is read, not run: write the value itself, or in single quotes what is meant literally';

function parseValue(raw: string): ParsedValue {
  const single = /^'([^']*)'\s*(?:\s#.*)?$/.exec(raw);
  if (single !== null) return { kind: 'value', value: single[1] ?? '' };
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:\s#.*)?$/.exec(raw);
  if (double !== null) {
    const inner = double[1] ?? '';
    const bare = inner.replace(/\\./g, '');
    if (/[$`]/.test(bare)) return { kind: 'wrong', why: NEVER_RUN };
    return { kind: 'value', value: inner.replace(/\\(["\\$`])/g, '$1') };
  }
  const word = raw.replace(/(^|\s)#.*$/, '').trimEnd();
  if (/["']/.test(word)) return { kind: 'wrong', why: `the quotes of ${shown(word)} do not enclose one value on one line` };
  if (/[$`;|&<>()\\]/.test(word)) return { kind: 'wrong', why: NEVER_RUN };
  if (/\s/.test(word)) return { kind: 'wrong', why: `${shown(word)} has a space; put the value in quotes` };
  return { kind: 'value', value: word };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
