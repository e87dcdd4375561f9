/** Each text once, at most so many of them, and how many more there were. Pure. */
export function shortened(texts: readonly string[], most: number): readonly string[] {
  const once = [...new Set(texts)];
  return once.length <= most ? once : [...once.slice(0, most), `and ${once.length - most} more`];
}
