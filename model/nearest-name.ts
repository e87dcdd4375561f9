/** The one of some names that the fewest changes of a letter make of a text; the first of equals. The names are never none. */
export function nearestName(text: string, names: readonly string[]): string {
  const byDistance = names.map((name) => ({ name, distance: distance(text, name) }));
  return byDistance.reduce((best, one) => (one.distance < best.distance ? one : best)).name;
}

/** Levenshtein's: letters added, dropped or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j += 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (b[j - 1] === letter ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}
