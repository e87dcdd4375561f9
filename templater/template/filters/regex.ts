import type { RE2JS } from 're2js';
import { goRegex } from './go-regex.ts';
import { asText, type Filter } from './values.ts';

/** Regular expressions, Go's. Pure. */
export const regexFilters = {
  regexMatch: (value, pattern) => goRegex(asText(pattern)).matcher(asText(value)).find(),
  /** `$1`, `${1}`, `$name` and `${name}` are groups, `$$` is a dollar. */
  regexReplaceAll: (value, pattern, replacement) => replaced(asText(value), goRegex(asText(pattern)), asText(replacement)),
} satisfies Record<string, Filter>;

/** As in Go, an empty match directly after another match does not count. */
function replaced(text: string, regex: RE2JS, replacement: string): string {
  const matcher = regex.matcher(text);
  let out = '';
  let end = 0;
  let lastEnd = -1;
  while (matcher.find()) {
    const [from, to] = [matcher.start(), matcher.end()];
    if (from === to && from === lastEnd) continue;
    out += text.slice(end, from) + expanded(replacement, (name) => group(regex, matcher, name));
    end = to;
    lastEnd = to;
  }
  return out + text.slice(end);
}

type Matcher = ReturnType<RE2JS['matcher']>;

/** A group by its number or name; empty for one that there is not, or that matched nothing. */
function group(regex: RE2JS, matcher: Matcher, name: string): string {
  const number = /^(0|[1-9]\d*)$/.test(name) ? Number(name) : regex.namedGroups()[name];
  return number === undefined || number > regex.groupCount() ? '' : (matcher.group(number) ?? '');
}

function expanded(replacement: string, groupOf: (name: string) => string): string {
  return replacement.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (whole, braced: string | undefined, bare: string | undefined) => (whole === '$$' ? '$' : groupOf(braced ?? bare ?? '')),
  );
}
