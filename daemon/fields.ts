import * as v from 'valibot';
import { didYouMean } from './did-you-mean.ts';

/** Documents: maps of known fields, and maps of any keys. Every fault is told, not only the first. Pure. */

type Fields = Readonly<Record<string, v.GenericSchema>>;

/** The value of a map of fields; those that were not given are undefined. */
export type FieldsOf<Of extends Fields> = { readonly [Name in keyof Of]?: v.InferOutput<Of[Name]> | undefined };

const aMap = v.custom<Record<string, unknown>>(
  (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
  'must be a map',
);

/** A map of any keys. valibot's own record leaves `constructor` and `__proto__` out, which a label may be called. */
export const mapOf = <Value>(value: v.GenericSchema<unknown, Value>) =>
  v.pipe(
    aMap,
    v.rawTransform(({ dataset: { value: input }, addIssue }): Record<string, Value> => {
      const entries = Object.entries(input).map(([key, given]) => {
        const read = v.safeParse(value, given);
        for (const { message, path = [] } of read.issues ?? [])
          addIssue({ message, path: [{ type: 'object', origin: 'value', input, key, value: given }, ...path] });
        return [key, read.output as Value] as const;
      });
      return Object.fromEntries(entries);
    }),
  );

/** A map with these fields and no others; those that were not given are undefined. Of an unknown one, `elsewhere` may say more. */
export const fields = <const Of extends Fields>(of: Of, elsewhere: Readonly<Record<string, string>> = {}) =>
  v.pipe(
    strictMap(Object.fromEntries(Object.entries(of).map(([name, field]) => [name, v.optional(field)])), elsewhere),
    v.transform((value) => value as FieldsOf<Of>),
  );

/** A map with these entries and no others. Every unknown one is told, with the nearest known one: valibot's own strict map tells the first alone. */
export const strictMap = <const Entries extends v.ObjectEntries>(entries: Entries, elsewhere: Readonly<Record<string, string>> = {}) =>
  v.pipe(
    aMap,
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
