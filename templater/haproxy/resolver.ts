import { lookup } from 'node:dns/promises';
import type { Resolved } from '../../model/edge-instances.ts';

/** How long an answer counts, milliseconds; the system's resolver tells no lifetime. */
const GOOD_FOR_MS = 30_000;

export interface Resolver {
  /** What is known now; the same object until something changed. */
  readonly known: () => Resolved;
  /** Names that are needed, all of them; unknown ones, and old answers, are looked up in the background. */
  readonly need: (names: readonly string[]) => void;
}

/** Looks up the host names that instances have for addresses; `changed` is called when an answer is new. */
export function createResolver(changed: () => void, now: () => number = Date.now): Resolver {
  let known: ReadonlyMap<string, string | null> = new Map();
  const askedAt = new Map<string, number>();
  const look = async (name: string) => {
    const address = await lookUp(name);
    if (known.get(name) === address) return;
    known = new Map([...known, [name, address]]);
    changed();
  };
  return {
    known: () => known,
    need: (names) => {
      for (const name of names) {
        if (now() - (askedAt.get(name) ?? Number.NEGATIVE_INFINITY) < GOOD_FOR_MS) continue;
        askedAt.set(name, now());
        void look(name);
      }
      for (const name of askedAt.keys()) if (!names.includes(name)) askedAt.delete(name);
    },
  };
}

/** The first address that the system's resolver gives for a name; null when it gives none. */
export function lookUp(name: string): Promise<string | null> {
  return lookup(name).then(
    ({ address }) => address,
    () => null,
  );
}
