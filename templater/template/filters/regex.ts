import { goRegex } from './go-regex.ts';
import { asText, type Filter } from './values.ts';

/** Regular expressions, Go's. They are run within the time limit of the rendering. Pure. */
export const regexFilters = {
  regexMatch: (value, pattern) => asText(value).search(goRegex(asText(pattern))) !== -1,
  /** `$1`, `${1}`, `$name` and `${name}` are groups, `$$` is a dollar. */
  regexReplaceAll: (value, pattern, replacement) => replaced(asText(value), goRegex(asText(pattern)), asText(replacement)),
} satisfies Record<string, Filter>;

/** As in Go, an empty match directly after another match does not count. */
function replaced(text: string, regex: RegExp, replacement: string): string {
  let out = '';
  let end = 0;
  let lastEnd = -1;
  for (const match of text.matchAll(regex)) {
    if (match[0] === '' && match.index === lastEnd) continue;
    out += text.slice(end, match.index) + expanded(replacement, match);
    end = match.index + match[0].length;
    lastEnd = end;
  }
  return out + text.slice(end);
}

function expanded(replacement: string, match: RegExpMatchArray): string {
  return replacement.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced: string | undefined, bare: string | undefined) => {
    if (whole === '$$') return '$';
    const name = braced ?? bare ?? '';
    return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? '';
  });
}
