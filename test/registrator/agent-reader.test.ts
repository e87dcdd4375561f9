import { expect, test } from '@jest/globals';
import { createLog } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { createAgentReader, untilNextReadMs } from '../../registrator/agent-reader.ts';

const log = createLog('test', 'silent');

test.each([
  [0, 2_000],
  [20, 2_000],
  [40, 4_000],
  [1_200, 5_000],
])('a reading took %i ms: the next one after %i ms', (tookMs, waitMs) => {
  expect(untilNextReadMs(tookMs)).toBe(waitMs);
});

test('asked for while a reading is under way, there is one more at once', async () => {
  const stop = new AbortController();
  const begun: (() => void)[] = [];
  let end: () => void = () => {};
  const twice = new Promise<void>((resolve) => (end = resolve));
  const read = () =>
    new Promise<void>((resolve) => {
      begun.push(resolve);
      if (begun.length === 2) end();
    });
  const reader = createAgentReader({ read, log }, stop.signal);

  const running = reader.run();
  reader.readSoon();
  begun[0]?.();

  await twice;
  stop.abort();
  begun[1]?.();
  await running;
  expect(begun).toHaveLength(2);
});

test('who does not answer is lost, and asked again until he does; whoever waits is told why', async () => {
  const stop = new AbortController();
  const told: (string | undefined)[] = [];
  let reads = 0;
  const read = async (wasLost: boolean) => {
    told.push(`${wasLost} ${reader.lost()}`);
    reads += 1;
    if (reads === 2) throw new OperationError('Consul GET /x', { subject: 'agent', hint: 'gone' });
    if (reads === 4) stop.abort();
    reader.readSoon();
  };
  const reader = createAgentReader({ read, log }, stop.signal);

  await reader.run();

  expect(told).toEqual(['true not connected yet', 'false undefined', expect.stringMatching(/^true .*gone/), 'false undefined']);
});
