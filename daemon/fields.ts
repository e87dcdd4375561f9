import { didYouMean } from './did-you-mean.ts';
import { type Fault, readAll, type Schema, schema, type ValueOf, WrongValue } from './schema.ts';

/** Documents: maps of known fields, and lists. Every fault is told, not only the first. Pure. */

type Fields = Readonly<Record<string, Schema<unknown>>>;

/** The value of a map of fields; those that were not given are undefined. */
export type FieldsOf<Of extends Fields> = { readonly [Name in keyof Of]: ValueOf<Of[Name]> | undefined };

/**
 * A map with these fields and no others; an unknown one is told with the nearest known one, or with what `elsewhere` says of it.
 * A field that is not there is undefined, and is not read.
 */
export const fields = <const Of extends Fields>(of: Of, elsewhere: Readonly<Record<string, string>> = {}): Schema<FieldsOf<Of>> =>
  schema((given) => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new WrongValue('must be a map');
    const readers = Object.entries(given).map(([name, value]) => {
      const field = Object.hasOwn(of, name) ? of[name] : undefined;
      if (field === undefined) return [undefined, () => unknown(name, Object.keys(of), elsewhere)] as const;
      return [name, () => [name, field.read(value)] as const] as const;
    });
    return Object.fromEntries(readAll(readers)) as FieldsOf<Of>;
  });

function unknown(name: string, known: readonly string[], elsewhere: Readonly<Record<string, string>>): never {
  throw new WrongValue(
    `unknown key ${JSON.stringify(name)}${didYouMean(name, known, '') || (Object.hasOwn(elsewhere, name) ? elsewhere[name] : '')}`,
  );
}

/** A list of what `item` reads. */
export const listOf = <Item>(item: Schema<Item>, message: string): Schema<readonly Item[]> =>
  schema((given) => {
    if (!Array.isArray(given)) throw new WrongValue(message);
    return readAll(given.map((value, at) => [at, () => item.read(value)]));
  });

/** Where a fault is, as a person counts: `templates[1].perms`. */
export function shownPath(path: Fault['path']): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part + 1}]` : `${at > 0 ? '.' : ''}${part}`)).join('');
}
