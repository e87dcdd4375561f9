/** A `Base` that one constructor has checked; the name carries the proof. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };
