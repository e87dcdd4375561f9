/** Things that end together, the last one first. Node has its own from 24 on. */
export interface Owned extends AsyncDisposable {
  readonly use: <Value extends AsyncDisposable>(value: Value) => Value;
}

export function createOwned(): Owned {
  const all: AsyncDisposable[] = [];
  return {
    use: (value) => {
      all.push(value);
      return value;
    },
    [Symbol.asyncDispose]: async () => {
      for (const value of all.reverse()) await value[Symbol.asyncDispose]();
    },
  };
}
