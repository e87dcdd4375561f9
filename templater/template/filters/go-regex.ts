import type { RE2JS } from 're2js';
import { re2 } from '../lazy-packages.ts';
import { shown } from './values.ts';

/** A template uses a few, each many times; patterns that were made of data must not pile up. */
const MOST_COMPILED = 1_000;
const compiled = new Map<string, RE2JS>();

/**
 * Go's own regular expressions (RE2): the time they take grows with the text alone, whatever the pattern. What Go does not have (look-around,
 * back-references) is refused. Pure.
 * @throws SyntaxError for what is no regular expression of Go's.
 */
export function goRegex(source: string): RE2JS {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const { RE2JS, RE2JSException } = re2();
  try {
    const regex = RE2JS.compile(source);
    if (compiled.size >= MOST_COMPILED) compiled.clear();
    compiled.set(source, regex);
    return regex;
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw new SyntaxError(`regular expression ${shown(source)}: ${cause.message}`, { cause });
  }
}
