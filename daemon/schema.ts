/** What a value may be. Pure: what it says of a value depends on the value alone. */
export interface Schema<Value> {
  /** @throws WrongValue that says what would be right. */
  readonly read: (given: unknown) => Value;
  readonly refine: (isRight: (value: Value) => boolean, message: string) => Schema<Value>;
  /** `to` may throw WrongValue. */
  readonly transform: <To>(to: (value: Value) => To) => Schema<To>;
  /** The default as it would be written, for values that are not written as they are read. */
  readonly writtenDefault: string | undefined;
}

/** The value that a schema makes. */
export type ValueOf<Of> = Of extends { readonly read: (given: unknown) => infer Value } ? Value : never;

/** Something wrong with a value: where in it, and what would be right. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A value is not what it may be. Tells all that is wrong with it. */
export class WrongValue extends Error {
  override readonly name = 'WrongValue';
  readonly faults: readonly Fault[];
  constructor(faults: string | readonly Fault[], options?: { readonly cause: unknown }) {
    const all = typeof faults === 'string' ? [{ path: [], message: faults }] : faults;
    super(all.map(({ message }) => message).join('; '), options);
    this.faults = all;
  }
}

/** A schema by how it reads. */
export function schema<Value>(read: (given: unknown) => Value, writtenDefault?: string): Schema<Value> {
  return {
    read,
    writtenDefault,
    refine: (isRight, message) =>
      schema((given) => {
        const value = read(given);
        if (!isRight(value)) throw new WrongValue(message);
        return value;
      }, writtenDefault),
    transform: (to) => schema((given) => to(read(given)), writtenDefault),
  };
}

/** Reads all of something, each by its own, before it says what is wrong, and where: every fault, not only the first. @throws WrongValue */
export function readAll<Value>(readers: readonly (readonly [at: string | number | undefined, read: () => Value])[]): readonly Value[] {
  const faults: Fault[] = [];
  const values = readers.flatMap(([at, read]) => {
    try {
      return [read()];
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      faults.push(...error.faults.map(({ path, message }) => ({ path: at === undefined ? path : [at, ...path], message })));
      return [];
    }
  });
  if (faults.length > 0) throw new WrongValue(faults);
  return values;
}
