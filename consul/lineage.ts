import { byteOrder } from '../model/compare.ts';
import type { BlockingAnswer } from './blocking-query.ts';
import type { WentBack } from './catalog-update.ts';

/** Knows which answers come from the Consul that there is now, and which from one before it, whose index was higher. */
export interface Lineage {
  /** `names` are the services that were followed until now. */
  readonly listAnswered: (answer: BlockingAnswer<unknown>, names: Iterable<string>) => void;
  readonly serviceAnswered: (name: string, answer: BlockingAnswer<unknown>) => void;
  readonly keysAnswered: (answer: BlockingAnswer<unknown>) => void;
  /** As of the snapshot that is taken now. Undefined while no index ever went back. */
  readonly take: () => WentBack | undefined;
}

/**
 * After the list's index went back, what a service has answered before it is another Consul's word, so a loss from it to its next answer is doubtful; a
 * later one is not. Answers on their way from before have to be dropped by whoever asks.
 */
export function createLineage(now: () => number): Lineage {
  let last: Omit<WentBack, 'services' | 'keys'> | undefined;
  /** Services whose answer in the snapshot that was taken last is from before. */
  const before = new Set<string>();
  /** Of these, those that have answered since. */
  const answered = new Set<string>();
  let keys = false;

  function note({ index, wentBackFrom }: BlockingAnswer<unknown>): boolean {
    if (wentBackFrom === undefined) return false;
    last = { at: now(), from: wentBackFrom, to: index };
    return true;
  }

  return {
    listAnswered: (answer, names) => {
      if (!note(answer)) return;
      for (const name of names) before.add(name);
      answered.clear();
    },
    serviceAnswered: (name, answer) => {
      if (note(answer)) before.add(name);
      if (before.has(name)) answered.add(name);
    },
    keysAnswered: (answer) => {
      if (note(answer)) keys = true;
    },
    take: () => {
      if (last === undefined) return undefined;
      const taken = { ...last, services: [...before].sort(byteOrder), keys };
      for (const name of answered) before.delete(name);
      answered.clear();
      keys = false;
      return taken;
    },
  };
}
