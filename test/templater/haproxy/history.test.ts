import { appendFile, mkdir, readFile, rename, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createHistory, type History } from '../../../templater/haproxy/history.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { edgeGroup, edgeInstance, edgePlan } from './a-plan.ts';

const planWith = (name: string) => edgePlan({ groups: [edgeGroup('web', [edgeInstance(name)])] });

function add(history: History, name: string, did = 'runtime'): void {
  const said = Array.from({ length: 60 }, (_, i) => ({ command: `command ${i}`, answer: 'x'.repeat(500) }));
  history.add({ at: '2026-01-01T00:00:00.000Z', why: [name], did, reasons: [], commands: 60, said }, planWith(name));
}

function fail(error: unknown): never {
  throw error;
}

test('generations are counted on over restarts; a line that was cut off is left out, and what nothing changed is none', async () => {
  await using folder = await tempDir();
  const path = join(folder.path, 'history');
  const first = createHistory(path, fail);
  add(first, 'a');
  add(first, 'b');
  await first.flush();
  await appendFile(path, '{"kind":"generation","num');
  await appendFile(path, '\n');

  const second = createHistory(path, fail);
  add(second, 'b');
  add(second, 'c');

  expect((await second.list()).map(({ number, why }) => [number, ...why])).toEqual([
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ]);
  const { diff, said, commands } = (await second.generation(3)) ?? fail(new Error('3 is not kept'));
  expect(diff.map((line) => line.slice(0, 16))).toEqual(['- instance web/b', '+ instance web/c']);
  expect([said.length, said[0]?.answer.length, commands]).toEqual([50, 200, 60]);
  expect([...((await second.entries(1)) ?? [])].join()).toContain('"name":"a"');
  expect(await second.generation(4)).toBeUndefined();
});

test('what a disk that was full could not keep is part of the next generation, and a line that it cut off costs no other', async () => {
  await using folder = await tempDir();
  const path = join(folder.path, 'history');
  const failures: unknown[] = [];
  const history = createHistory(path, (error) => failures.push(error));
  add(history, 'a');
  await history.flush();
  await rename(path, `${path}.aside`);
  await mkdir(path); // nothing can be appended to it
  add(history, 'b');
  await history.flush();
  await rmdir(path);
  await writeFile(path, `${await readFile(`${path}.aside`, 'utf8')}{"kind":"generation","number":2,"cut`);

  add(history, 'b', 'reload'); // as it was after the one that is lost
  add(history, 'c');

  expect(failures.length).toBe(1);
  expect((await history.list()).map(({ number, why }) => [number, ...why])).toEqual([
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ]);
  const instances = [...((await history.entries(2)) ?? [])].join();
  expect(instances).toContain('"name":"b"');
  expect(instances).not.toContain('"name":"a"');
});

test.each([
  ['a generation without a change', '{"kind":"generation","number":7,"change":{}}'],
  ['a generation whose number is none', '{"kind":"generation","number":"7","change":{"set":[],"drop":[]}}'],
  ['entries that are no pairs', '{"kind":"base","set":[7],"drop":[]}'],
  ['another program’s line', '[1,2,3]'],
])('%s is left out, and the history goes on', async (_, line) => {
  await using folder = await tempDir();
  const path = join(folder.path, 'history');
  await writeFile(path, `${line}\n`);
  const history = createHistory(path, fail);

  add(history, 'a');

  expect((await history.list()).map(({ number }) => number)).toEqual([1]);
  expect([...((await history.entries(1)) ?? [])].join()).toContain('"name":"a"');
});

test('it is bounded: the oldest are given up, and the newest are what they were', async () => {
  await using folder = await tempDir();
  const path = join(folder.path, 'history');
  const history = createHistory(path, fail);

  for (let i = 1; i <= 1_200; i += 1) add(history, `i${i}`);

  const kept = await history.list();
  expect(kept.length).toBeLessThanOrEqual(500);
  expect(kept.at(-1)?.number).toBe(1_200);
  expect([...((await history.entries(1_200)) ?? [])].join()).toContain('"name":"i1200"');
  expect((await stat(path)).size).toBeLessThan(16_000_000);
});
