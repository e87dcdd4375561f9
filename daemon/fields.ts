import * as v from 'valibot';
import { didYouMean } from './did-you-mean.ts';

/** Documents: maps of known fields. Every fault is told, not only the first. Pure. */

type Fields = Readonly<Record<string, v.GenericSchema>>;

/** The value of a map of fields; those that were not given are undefined. */
export type FieldsOf<Of extends Fields> = { readonly [Name in keyof Of]?: v.InferOutput<Of[Name]> | undefined };

/** A map with these fields and no others; those that were not given are undefined. Of an unknown one, `elsewhere` may say more. */
export const fields = <const Of extends Fields>(of: Of, elsewhere: Readonly<Record<string, string>> = {}) =>
  v.pipe(
    strictMap(Object.fromEntries(Object.entries(of).map(([name, field]) => [name, v.optional(field)])), elsewhere),
    v.transform((value) => value as FieldsOf<Of>),
  );

/** A map with these entries and no others. Every unknown one is told, with the nearest known one: valibot's own strict map tells the first alone. */
export const strictMap = <const Entries extends v.ObjectEntries>(entries: Entries, elsewhere: Readonly<Record<string, string>> = {}) =>
  v.pipe(
    v.custom<Record<string, unknown>>((given) => typeof given === 'object' && given !== null && !Array.isArray(given), 'must be a map'),
    v.looseObject(entries),
    v.rawCheck(({ dataset, addIssue }) => {
      for (const name of Object.keys(dataset.value as object))
        if (!Object.hasOwn(entries, name))
          addIssue({ message: `unknown key ${JSON.stringify(name)}${hintOf(name, Object.keys(entries), elsewhere)}` });
    }),
    v.transform((value) => value as v.InferOutput<v.ObjectSchema<Entries, undefined>>),
  );

function hintOf(name: string, known: readonly string[], elsewhere: Readonly<Record<string, string>>): string {
  return didYouMean(name, known, '') || (Object.hasOwn(elsewhere, name) ? (elsewhere[name] ?? '') : '');
}
