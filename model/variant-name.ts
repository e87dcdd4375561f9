/** A variant as operators write it: what follows the last `/` in it (`/shop/canary` is `canary`), or the whole where another one ends the same. Pure. */
export function shownVariant(variant: string, all: ReadonlySet<string>): string {
  const short = lastPart(variant);
  return [...all].some((other) => other !== variant && lastPart(other) === short) ? variant : short;
}

/** Names that are meant by none of the variants, neither whole nor by their last part. Pure. */
export function unknownVariants(names: readonly string[], variants: ReadonlySet<string>): readonly string[] {
  const known = new Set([...variants].flatMap((variant) => [variant, lastPart(variant)]));
  return names.filter((name) => !known.has(name));
}

function lastPart(variant: string): string {
  return variant.slice(variant.lastIndexOf('/') + 1);
}
