import { backoffMs } from '../daemon/backoff.ts';
import { createDoorbell } from '../daemon/doorbell.ts';
import type { Logger } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { sleep } from '../daemon/sleep.ts';

/** Reads an agent again and again. */
export interface AgentReader {
  /** Why the agent cannot be followed now; absent when it is. */
  readonly lost: () => string | undefined;
  /** The agent did not answer a write: it is lost until it is read. */
  readonly lose: (why: string) => void;
  /** Something may have come out other than was thought: reads again at once, and once more where a reading is under way. */
  readonly readSoon: () => void;
  readonly run: () => Promise<void>;
}

export interface AgentReaderOptions {
  /** One reading and what follows from it; `wasLost` since the last. @throws OperationError when there is no answer */
  readonly read: (wasLost: boolean) => Promise<void>;
  readonly log: Logger;
}

/** The agent is read this often, milliseconds; less often where reading is so dear that it would take more than a hundredth of the time. */
const READ_EVERY_MS = 2_000;
const READ_SHARE = 100;
/** One reading may take long for other reasons, such as a busy machine: nobody waits longer than this for the next. */
const READ_AT_LEAST_EVERY_MS = 5_000;
const READ_AGAIN_MS = 50;
const UNREACHABLE_RETRY_WITHIN_MS = 2_000;

/** How long to wait after a reading that took so long. */
export function untilNextReadMs(tookMs: number): number {
  return Math.min(READ_AT_LEAST_EVERY_MS, Math.max(READ_EVERY_MS, READ_SHARE * tookMs));
}

export function createAgentReader({ read, log }: AgentReaderOptions, signal: AbortSignal): AgentReader {
  const bell = createDoorbell();
  let lost: string | undefined = 'not connected yet';

  /** Ends early when it rings, though not at once. */
  async function untilNextRead(waitMs: number): Promise<void> {
    if (signal.aborted) return;
    const over = new AbortController();
    const end = () => over.abort();
    const timer = setTimeout(end, waitMs);
    signal.addEventListener('abort', end);
    await bell.rung(over.signal);
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    if (!over.signal.aborted) await sleep(READ_AGAIN_MS, signal);
  }

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const begun = performance.now();
      let waitMs = READ_EVERY_MS;
      try {
        await read(lost !== undefined);
        waitMs = untilNextReadMs(performance.now() - begun);
        failures = 0;
        if (lost !== undefined) log.info({}, 'following consul');
        lost = undefined;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        waitMs = backoffMs(failures, 50, UNREACHABLE_RETRY_WITHIN_MS);
        const why = error instanceof Error ? error.message : String(error);
        if (!(error instanceof OperationError)) log.error({ err: error }, 'reading consul failed');
        else if (lost !== why) log.warn({ why }, 'consul cannot be read, trying again');
        lost = why;
      }
      await untilNextRead(waitMs);
    }
  }

  return {
    lost: () => lost,
    lose: (why) => {
      lost = why;
    },
    readSoon: bell.ring,
    run,
  };
}
