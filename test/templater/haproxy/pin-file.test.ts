import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { pinAtStart, writePin } from '../../../templater/haproxy/pin-file.ts';
import { changeOfPlan, type PlanEntries, withChange } from '../../../templater/haproxy/plan-entries.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { edgeGroup, edgeInstance, edgePlan } from './a-plan.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const planWith = (name: string) =>
  edgePlan({ groups: [edgeGroup('web', [edgeInstance(name)])], hosts: { 'web.service': 'web' }, listeners: { 9000: 'web' } });
const entriesOf = (name: string): PlanEntries => withChange(new Map(), changeOfPlan(undefined, planWith(name)));

/** A history of two generations. */
const HISTORY = {
  list: async () => [1, 2].map((number) => ({ number, at: '', why: [], did: 'runtime', reasons: [], said: [], commands: 1 })),
  entries: async (number: number) => entriesOf(`of-${number}`),
};
const NO_HISTORY = { list: async () => [], entries: async () => undefined };

async function start(text: string | undefined, history: Parameters<typeof pinAtStart>[1]) {
  await using folder = await tempDir();
  const path = join(folder.path, 'pin.json');
  if (text !== undefined) await writeFile(path, text);
  return { path, ...(await pinAtStart(path, history, NOW)) };
}

test('the pin of before is the pin', async () => {
  await using folder = await tempDir();
  const path = join(folder.path, 'pin.json');
  await writePin(path, { generation: 1, since: '2025-01-01T00:00:00.000Z', entries: entriesOf('pinned') });

  expect(await pinAtStart(path, HISTORY, NOW)).toEqual({
    pinned: { generation: 1, since: '2025-01-01T00:00:00.000Z', plan: planWith('pinned') },
    problems: [],
  });
});

test('without one the edge follows Consul', async () => {
  expect(await start(undefined, HISTORY)).toMatchObject({ pinned: undefined, problems: [] });
});

const whole = JSON.stringify({ generation: 1, since: '', entries: [...entriesOf('pinned')] });
test.each([
  ['empty', ''],
  ['cut off', whole.slice(0, -20)],
  ['zeros', '\0'.repeat(whole.length)],
  ['another JSON', 'null'],
  ['no entries, which would take every route away', '{"generation":1,"since":""}'],
  ['no generation', '{"since":"","entries":[]}'],
  ['a rule whose group is missing', JSON.stringify({ generation: 1, since: '', entries: [['hosts web.service', 'web']] })],
  ['a group without instances', JSON.stringify({ generation: 1, since: '', entries: [['groups web', '{}']] })],
])('one that cannot be read (%s) is a problem, and the edge stays at its newest generation', async (_, text) => {
  const { path, pinned, problems } = await start(text, HISTORY);

  expect(pinned).toEqual({ generation: 2, since: NOW.toISOString(), plan: planWith('of-2') });
  expect(problems).toEqual([
    { subject: 'edge', option: 'pin', value: path, reason: expect.stringMatching(/it is not whole.*stays at generation 2.*toots release/) },
  ]);
});

test('without a generation either, Consul is followed, and that is told', async () => {
  const { pinned, problems } = await start('x', NO_HISTORY);

  expect(pinned).toBeUndefined();
  expect(problems).toMatchObject([{ option: 'pin', reason: expect.stringContaining('Consul is followed') }]);
});

test('a text that may hold hashes of passwords is told nowhere', async () => {
  const { problems } = await start('{"secret', HISTORY);

  expect(JSON.stringify(problems)).not.toContain('secret');
});
