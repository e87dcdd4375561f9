/** What has to happen so that `actual` becomes `wanted`. */
export interface Diff<Wanted, Actual = Wanted> {
  readonly added: readonly Wanted[];
  readonly changed: readonly { readonly before: Actual; readonly after: Wanted }[];
  readonly removed: readonly Actual[];
}

/** Compares two keyed collections; `same` says whether an entry that both sides have needs nothing. */
export function diff<Wanted, Actual>(
  wanted: ReadonlyMap<string, Wanted>,
  actual: ReadonlyMap<string, Actual>,
  same: (wanted: Wanted, actual: Actual) => boolean,
): Diff<Wanted, Actual> {
  const added: Wanted[] = [];
  const changed: { before: Actual; after: Wanted }[] = [];
  const removed: Actual[] = [];
  for (const [key, after] of wanted) {
    const before = actual.get(key);
    if (before === undefined) added.push(after);
    else if (!same(after, before)) changed.push({ before, after });
  }
  for (const [key, before] of actual) if (!wanted.has(key)) removed.push(before);
  return { added, changed, removed };
}
