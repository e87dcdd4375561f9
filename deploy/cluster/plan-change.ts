import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';

/** What a start would do to one daemon. */
export interface DaemonChange {
  readonly name: string;
  readonly does: 'start' | 'replace' | 'remove' | 'keep';
  /** What of it is different, in Compose's words. */
  readonly because: readonly string[];
}

type Services = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * The difference between the Compose file that is there and the one that is wanted. Pure.
 *   there | wanted    | does
 *   ------|-----------|--------------------------------
 *   –     | x         | start
 *   x     | x, equal  | keep
 *   x     | x, other  | replace, because of the keys that differ
 *   x     | –         | remove
 */
export function planChange(there: string | undefined, wanted: string): readonly DaemonChange[] {
  const [before, after] = [servicesOf(there), servicesOf(wanted)];
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names.map((name) => {
    const [old, next] = [before[name], after[name]];
    if (next === undefined) return { name, does: 'remove', because: [] };
    if (old === undefined) return { name, does: 'start', because: [] };
    const because = [...new Set([...Object.keys(old), ...Object.keys(next)])].filter((key) => !isDeepStrictEqual(old[key], next[key]));
    return { name, does: because.length === 0 ? 'keep' : 'replace', because };
  });
}

function servicesOf(text: string | undefined): Services {
  return text === undefined ? {} : ((parse(text) as { services?: Services } | null)?.services ?? {});
}

/** Lines for a person. Pure. */
export function changeText(changes: readonly DaemonChange[]): string {
  const width = Math.max(...changes.map(({ name }) => name.length));
  return changes
    .map(({ name, does, because }) => `  ${name.padEnd(width)}  ${does}${because.length === 0 ? '' : ` (${because.join(', ')})`}\n`)
    .join('');
}
