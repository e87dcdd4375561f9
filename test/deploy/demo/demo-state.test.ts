import { readdir, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { claimRunFolder, demoFiles, isUp, readDemoState } from '../../../deploy/demo/demo-state.ts';
import { identify } from '../../../deploy/host/process-identity.ts';
import { tempDir } from '../../harness/temp-dir.ts';

test('of several demos in one run folder one gets it', async () => {
  await using folder = await tempDir();
  const files = demoFiles(folder.path);

  const books = await Promise.all(Array.from({ length: 5 }, () => claimRunFolder(files)));

  expect(books.filter((book) => book !== undefined)).toHaveLength(1);
  expect((await readdir(folder.path)).filter((name) => name.startsWith('demo.json'))).toEqual(['demo.json']);
  expect(isUp(await readDemoState(files))).toBe(true);
  expect(await claimRunFolder(files)).toBeUndefined();
});

test('the folder of a demo whose supervisor is gone is free, and its number may be another’s by now', async () => {
  await using folder = await tempDir();
  const files = demoFiles(folder.path);
  const book = await claimRunFolder(files);
  const self = identify(process.pid);
  if (book === undefined || self === undefined) throw new Error('no demo');

  await book.change({ supervisor: { ...self, startTicks: self.startTicks - 1 } });

  expect(isUp(await readDemoState(files))).toBe(false);
  expect(await claimRunFolder(files)).toBeDefined();
});

test('changes at the same moment are all kept', async () => {
  await using folder = await tempDir();
  const files = demoFiles(folder.path);
  const book = await claimRunFolder(files);
  const add = (name: string) => book?.change({ programs: { ...book.state().programs, [name]: { pid: 1, startTicks: 1 } } });

  await Promise.all(['consul', 'registrator', 'templater'].map(add));

  expect(Object.keys((await readDemoState(files))?.programs ?? {})).toEqual(['consul', 'registrator', 'templater']);
});

test('a file that is none of ours is no demo', async () => {
  await using folder = await tempDir();
  const files = demoFiles(folder.path);
  await writeFile(files.state, '{"supervisor": "init"}');

  expect(await readDemoState(files)).toBeUndefined();
});
