/** The tags of a comma-separated list: in order, trimmed, without empty ones. `\,` is a comma of the tag. */
export function parseTags(list: string): readonly string[] {
  return splitEscaped(list).filter((tag) => tag !== '');
}

/** The parts between the commas, trimmed; `\,` is a comma that separates nothing. */
export function splitEscaped(list: string): readonly string[] {
  return list.split(/(?<!\\),/).map((part) => part.replaceAll('\\,', ',').trim());
}

/** Several lists as one: each tag where it comes first. */
export function joinTags(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())];
}
