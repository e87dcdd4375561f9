/** A table as HAProxy answers it: a line `# ` with the names of its columns, then a row a line (management guide 9.1 and 9.3). */
export type TableAnswer = string;

/**
 * The wanted columns of each row, in the order that the answer has them in; found by their names, as others come with versions. All that only counts stays
 * out, so the text differs when something that is wanted does. One pass by a regular expression: an answer is thousands of rows of dozens of columns. Pure.
 */
export function columnsOf(answer: TableAnswer, separator: ' ' | ',', wanted: readonly string[]): string {
  const { header, rest } = headed(answer);
  const names = header.split(separator);
  const last = names.findLastIndex((name) => wanted.includes(name));
  if (last < 0) return '';
  const field = `[^${separator}\\n]*`;
  const columns = names.slice(0, last + 1).map((name) => (wanted.includes(name) ? `(${field})` : field));
  const more = names.length > last + 1 ? `${separator}.*` : '.*';
  const kept = names.filter((name) => wanted.includes(name)).map((_, i) => `$${i + 1}`);
  return rest.replace(new RegExp(`^${columns.join(separator)}${more}$`, 'gm'), kept.join(separator));
}

/** The wanted columns of each row, in the order of `wanted`; undefined where the answer has no such column. Pure. */
export function rowsOf(answer: TableAnswer, separator: ' ' | ',', wanted: readonly string[]): (string | undefined)[][] {
  const names = headed(answer)
    .header.split(separator)
    .filter((name) => wanted.includes(name));
  const at = wanted.map((name) => names.indexOf(name));
  return columnsOf(answer, separator, wanted)
    .split('\n')
    .map((line) => line.split(separator))
    .filter((fields) => fields.length === names.length && fields[0] !== '')
    .map((fields) => at.map((i) => fields[i]));
}

/** What stands before the header is no row: the version of the format. */
function headed(answer: TableAnswer): { readonly header: string; readonly rest: string } {
  const start = answer.startsWith('# ') ? 0 : answer.indexOf('\n# ') + 1;
  const end = answer.indexOf('\n', start);
  if (!answer.startsWith('# ', start) || end < 0) return { header: '', rest: '' };
  return { header: answer.slice(start + 2, end).trimEnd(), rest: answer.slice(end + 1) };
}
