import { call, REQUEST_TIMEOUT_MS } from '../../../consul/call.ts';
import { sleep } from '../../../daemon/sleep.ts';
import type { Query } from '../query.ts';
import { type FeedPorts, UNDOUBTED } from './heard.ts';

/** How often an agent is felt for, and how long it may take to answer, milliseconds: one that hangs is told within 15 s. */
export interface PulseTimes {
  readonly everyMs: number;
  readonly withinMs: number;
}

export const PULSE_TIMES: PulseTimes = { everyMs: 10_000, withinMs: REQUEST_TIMEOUT_MS };
const AGAIN_MS = 1_000;

/** Stands for the agent in status and log. */
const AGENT: Query = { id: 'agent', source: { kind: 'poll', path: '/v1/status/leader', everyMs: 0, dc: '' }, view: () => undefined };

/**
 * Asks the agent for what it answers at once. A request that is held says nothing of an agent that hangs: its answer is due in a minute.
 * `recovered` is called when the agent answers again: it may have swallowed what it seems to hold.
 */
export async function feelPulse(
  { transport, hear, observe }: FeedPorts,
  recovered: () => void,
  { everyMs, withinMs }: PulseTimes,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0, since = 0; !signal.aborted; ) {
    await sleep(failures > 0 ? Math.min(AGAIN_MS, everyMs) : everyMs, signal);
    if (signal.aborted) return;
    try {
      await call(transport, { method: 'GET', path: '/v1/status/leader', timeoutMs: withinMs }, signal);
      if (failures === 0) continue;
      failures = 0;
      hear(AGENT, undefined, UNDOUBTED);
      recovered();
    } catch (error) {
      if (signal.aborted) return;
      if (failures++ === 0) since = Date.now();
      observe(AGENT, { kind: 'failing', since, failures, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }
}
