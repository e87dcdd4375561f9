import { byteOrder } from '../model/compare.ts';
import type { Instance } from '../model/instance.ts';
import type { Problem } from '../model/problem.ts';
import { withValues } from '../model/revised-map.ts';
import { byNodeThenId, catalogInstance, keepUnchanged } from './catalog-instance.ts';
import type { HealthAnswer } from './health-entry.ts';

/** The services as they were last answered, and what of them differs from the last snapshot that was taken. */
export interface AnsweredServices {
  readonly has: (name: string) => boolean;
  readonly size: () => number;
  /** Answers whether a consumer can see a difference. */
  readonly answered: (name: string, answer: HealthAnswer) => boolean;
  /** Forgets all others; answers which they were. */
  readonly keepOnly: (names: ReadonlySet<string>) => readonly string[];
  readonly take: () => ServicesSnapshot;
}

export interface ServicesSnapshot {
  /** Those with at least one instance. */
  readonly services: ReadonlyMap<string, readonly Instance[]>;
  /** Names that differ from the last snapshot, sorted. */
  readonly changed: readonly string[];
  /** Those that answered with no instance, sorted. */
  readonly empty: readonly string[];
  readonly problems: readonly Problem[];
}

/** A snapshot costs what changed, and a copy of a map where services come or go. */
export function createAnsweredServices(): AnsweredServices {
  const known = new Map<string, readonly Instance[]>();
  const empty = new Set<string>();
  const unreadable = new Map<string, number>();
  const touched = new Set<string>();
  let taken: ReadonlyMap<string, readonly Instance[]> = new Map();

  function forget(name: string): void {
    known.delete(name);
    empty.delete(name);
    unreadable.delete(name);
    touched.add(name);
  }

  /** Those with an instance. */
  function present(name: string): readonly Instance[] | undefined {
    const instances = known.get(name);
    return instances?.length === 0 ? undefined : instances;
  }

  function presentEntry(name: string): [string, readonly Instance[]][] {
    const instances = present(name);
    return instances === undefined ? [] : [[name, instances]];
  }

  return {
    has: (name) => known.has(name),
    size: () => known.size,
    answered: (name, answer) => {
      const before = known.get(name);
      const instances = keepUnchanged(before, answer.entries.map(catalogInstance).sort(byNodeThenId));
      const isSame = instances === before && (unreadable.get(name) ?? 0) === answer.unreadable;
      if (isSame) return false;
      known.set(name, instances);
      touched.add(name);
      if (instances.length === 0) empty.add(name);
      else empty.delete(name);
      if (answer.unreadable > 0) unreadable.set(name, answer.unreadable);
      else unreadable.delete(name);
      return true;
    },
    keepOnly: (names) => {
      const gone = [...known.keys()].filter((name) => !names.has(name));
      gone.forEach(forget);
      return gone;
    },
    take: () => {
      const changed = [...touched].filter((name) => present(name) !== taken.get(name)).sort(byteOrder);
      touched.clear();
      const gone = changed.filter((name) => present(name) === undefined);
      const left = gone.length === 0 ? taken : new Map([...taken].filter(([name]) => present(name) !== undefined));
      taken = withValues(left, new Map(changed.flatMap((name) => presentEntry(name))));
      return { services: taken, changed, empty: [...empty].sort(byteOrder), problems: [...unreadable].map(unreadableProblem) };
    },
  };
}

function unreadableProblem([subject, count]: readonly [string, number]): Problem {
  return { subject, reason: `${count} of Consul’s entries have no node, ID or name; they are left out` };
}
