/** Lines around a change that are shown with it. */
const CONTEXT = 3;

/** The difference of two texts as `diff -u` shows it, empty when there is none. A missing file is undefined. Pure. */
export function unifiedDiff(name: string, before: string | undefined, after: string): string {
  if (before === after) return '';
  const [old, now] = [linesOf(before ?? ''), linesOf(after)];
  const edits = editScript(old, now);
  const hunks = hunksOf(edits).map((hunk) => hunkText(hunk));
  return `--- ${before === undefined ? '/dev/null' : name}\n+++ ${name}\n${hunks.join('')}`;
}

interface Edit {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
  /** Positions in the old and the new text before this edit. */
  readonly old: number;
  readonly now: number;
}

/** Each with its line end, where it has one. */
function linesOf(text: string): readonly string[] {
  return text === '' ? [] : (text.match(/[^\n]*\n|[^\n]+$/g) ?? []);
}

/** The shortest way from one list to the other (Myers), cut off at a size where it would be slow: then all is replaced. */
function editScript(old: readonly string[], now: readonly string[]): readonly Edit[] {
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end++;
  const edits: Edit[] = [];
  const same = (from: number, to: number, shift: number) => {
    for (let at = from; at < to; at++) edits.push({ sign: ' ', line: old[at] ?? '', old: at, now: at + shift });
  };
  same(0, start, 0);
  edits.push(...middle(old.slice(start, old.length - end), now.slice(start, now.length - end), start));
  same(old.length - end, old.length, now.length - old.length);
  return edits;
}

/** By the table of longest common subsequences. */
function middle(old: readonly string[], now: readonly string[], offset: number): readonly Edit[] {
  const table = old.length * now.length > 4_000_000 ? undefined : commonLengths(old, now);
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const at = { old: offset + i, now: offset + j };
    if (table !== undefined && i < old.length && j < now.length && old[i] === now[j]) {
      edits.push({ sign: ' ', line: old[i++] ?? '', ...at });
      j++;
    } else if (i < old.length && (j >= now.length || table === undefined || (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0))) {
      edits.push({ sign: '-', line: old[i++] ?? '', ...at });
    } else {
      edits.push({ sign: '+', line: now[j++] ?? '', ...at });
    }
  }
  return edits;
}

function commonLengths(old: readonly string[], now: readonly string[]): readonly Uint32Array[] {
  const table = Array.from({ length: old.length + 1 }, () => new Uint32Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i--) {
    const [row, below] = [table[i], table[i + 1]];
    if (row === undefined || below === undefined) continue;
    for (let j = now.length - 1; j >= 0; j--) {
      row[j] = old[i] === now[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return table;
}

function hunksOf(edits: readonly Edit[]): readonly (readonly Edit[])[] {
  const hunks: Edit[][] = [];
  let shownTo = -1;
  for (const [at, edit] of edits.entries()) {
    if (edit.sign === ' ') continue;
    const from = Math.max(0, at - CONTEXT);
    if (from > shownTo || hunks.length === 0) hunks.push([]);
    const to = Math.min(edits.length, at + CONTEXT + 1);
    hunks.at(-1)?.push(...edits.slice(Math.max(from, shownTo), to));
    shownTo = to;
  }
  return hunks;
}

function hunkText(hunk: readonly Edit[]): string {
  const removed = hunk.filter(({ sign }) => sign !== '+').length;
  const added = hunk.filter(({ sign }) => sign !== '-').length;
  const first = hunk[0];
  const range = (start: number, count: number) => `${count === 0 ? start : start + 1}${count === 1 ? '' : `,${count}`}`;
  const lines = hunk.map(({ sign, line }) => `${sign}${line.endsWith('\n') ? line : `${line}\n\\ No newline at end of file\n`}`);
  return `@@ -${range(first?.old ?? 0, removed)} +${range(first?.now ?? 0, added)} @@\n${lines.join('')}`;
}
