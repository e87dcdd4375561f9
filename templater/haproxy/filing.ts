import { createAlarm } from '../../daemon/alarm.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import type { ValidEdge } from './valid-config.ts';

/** Brings what HAProxy was told at run time to disk, off the way of the changes: what was applied is asked of HAProxy, so nothing hangs on it. */
export interface Filing {
  /** HAProxy has this; it is written a while later, or a newer one in its place. */
  readonly later: (edge: ValidEdge) => void;
  /** Writes this before anything else; what waited is out of date with it. Answers what of it is valid, once it can be read. */
  readonly now: (edge: ValidEdge) => Promise<ValidEdge>;
  /** Writes what waits. */
  readonly flush: () => Promise<void>;
}

export interface FilingParts {
  /** Checks and writes; called one at a time. */
  readonly keep: (edge: ValidEdge) => Promise<ValidEdge>;
  /** Waits until what was written outlives a power cut. */
  readonly onDisk: () => Promise<void>;
  /** Told of what was written later: whether all of it was valid, or why it could not be written. */
  readonly done: (outcome: { readonly isValid: boolean } | { readonly error: OperationError }) => void;
}

/** How long changes are gathered before they are written, milliseconds. */
const WRITE_AFTER_MS = 1_000;
const AGAIN_MS = 1_000;

export function createFiling({ keep, onDisk, done }: FilingParts): Filing {
  let waiting: ValidEdge | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const alarm = createAlarm(() => void write());

  function now(edge: ValidEdge): Promise<ValidEdge> {
    waiting = undefined;
    alarm.off();
    const kept = last.then(() => keep(edge));
    last = kept.then(
      () => onDisk().catch((error: unknown) => failed(error, edge)),
      () => {},
    );
    return kept;
  }

  function failed(error: unknown, edge: ValidEdge): void {
    if (!(error instanceof OperationError)) throw error;
    waiting ??= edge;
    alarm.in(AGAIN_MS, 'write again');
    done({ error });
  }

  async function write(): Promise<void> {
    const edge = waiting;
    if (edge === undefined) return;
    try {
      done({ isValid: (await now(edge)) === edge });
    } catch (error) {
      failed(error, edge);
    }
  }

  return {
    now,
    later: (edge) => {
      waiting = edge;
      alarm.in(WRITE_AFTER_MS, 'write');
    },
    flush: async () => {
      await write();
      await last;
    },
  };
}
