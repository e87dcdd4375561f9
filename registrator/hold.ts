import { META, type Registered } from '../consul/registration.ts';
import type { SentSignal } from './lifecycle.ts';

/** How a reason for maintenance begins that is ours to take back. An operator's is his. */
const MARK = 'toots: ';

export const PAUSED = `${MARK}the container is paused`;
export const LEFT = `${MARK}the registrator has ended`;

export const failedHold = (exitCode: number) => `${MARK}the container ended with exit code ${exitCode}`;

const DRAIN = `${MARK}the container is being stopped`;
const ENDED = `${MARK}the container has ended`;

/**
 * Why a container gets nothing new that is being stopped. By which signal and since when is for the registrator that is started in the middle
 * of it: no inspection tells that, and the engine remembers 256 events.
 */
export function drainHold(sent: SentSignal | undefined): string {
  return sent === undefined ? ENDED : `${DRAIN} (signal ${sent.signal}, ${new Date(sent.sentMs).toISOString()})`;
}

/** The signal that a reason of {@link drainHold} names. Its time is by the engine's clock: one that is ahead of ours makes no drain longer. */
export function parseDrainHold(reason: string, nowMs: number): SentSignal | undefined {
  const [, signal, sent] = /^\(signal (\d{1,2}), (\S+)\)$/.exec(reason.startsWith(`${DRAIN} `) ? reason.slice(DRAIN.length + 1) : '') ?? [];
  const sentMs = Date.parse(sent ?? '');
  return signal === undefined || Number.isNaN(sentMs) ? undefined : { signal: Number(signal), sentMs, heardMs: Math.min(sentMs, nowMs) };
}

/** The stops that were under way when these were registered: those of our containers. */
export function drainsOf(
  registered: Iterable<Registered>,
  owner: string,
  nowMs: number,
): readonly { container: string; sent: SentSignal }[] {
  return [...registered].flatMap(({ meta, maintenance }) => {
    const container = meta[META.owner] === owner ? meta[META.container] : undefined;
    const sent = maintenance === undefined ? undefined : parseDrainHold(maintenance, nowMs);
    return container === undefined || sent === undefined ? [] : [{ container, sent }];
  });
}

export function isOurHold(reason: string): boolean {
  return reason.startsWith(MARK);
}
