import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createPlanner } from '../../../model/plan-edge.ts';
import { createConfigWriter, replaceFile } from '../../../templater/haproxy/config-files.ts';
import { edgeFiles } from '../../../templater/haproxy/edge-settings.ts';
import type { RenderedEdge } from '../../../templater/haproxy/render.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { aCatalog, POLICY } from '../../model/a-catalog.ts';
import { shapeOf } from './a-plan.ts';

test('files that are replaced at the same time each get their own text, and nothing else is left', async () => {
  await using folder = await tempDir();
  const names = Array.from({ length: 20 }, (_, i) => `file-${i}`);

  await Promise.all(names.map((name) => replaceFile(join(folder.path, name), name.repeat(5_000))));

  for (const name of names) expect(await readFile(join(folder.path, name), 'utf8')).toBe(name.repeat(5_000));
  expect((await readdir(folder.path)).sort()).toEqual([...names].sort());
});

test('one file that is replaced several times at once holds one of the texts, whole', async () => {
  await using folder = await tempDir();
  const path = join(folder.path, 'file');
  const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100_000));

  await Promise.all(texts.map((text) => replaceFile(path, text)));

  expect(texts).toContain(await readFile(path, 'utf8'));
});

test('a file that cannot be replaced is named, and nothing is left of the try', async () => {
  await using folder = await tempDir();

  await expect(replaceFile(join(folder.path, 'no', 'file'), 'x')).rejects.toThrow(/write file: .*no\/file/);

  expect(await readdir(folder.path)).toEqual([]);
});

test('what is the same is not written again, but for a file that somebody else has written', async () => {
  await using folder = await tempDir();
  const files = edgeFiles(folder.path);
  const writer = createConfigWriter(files);
  const rendered = aRendered('f');
  await writer.config(rendered);
  await writeFile(files.config, 'theirs');

  await writer.config(rendered);

  expect(await readFile(files.config, 'utf8')).toBe('ours');
});

test('maps are written whole, each to its own file, and again when they change', async () => {
  await using folder = await tempDir();
  const files = edgeFiles(folder.path);
  const writer = createConfigWriter(files);
  const texts = { hostsMap: 'a.x a\nb.x b\n', vhostsMap: '=c.x/ c\n', variantsMap: 'd/e 1\n', pathsMap: '/a/ a\n/b/ b\n' };
  const written = async () =>
    Object.fromEntries(await Promise.all(MAPS.map(async (map) => [map, await readFile(files[map], 'utf8')] as const)));

  await writer.maps({ ...aRendered('f'), ...texts });
  expect(await written()).toEqual(texts);

  await writer.maps({ ...aRendered('f'), ...texts, pathsMap: '/b/ b\n' });
  expect(await written()).toEqual({ ...texts, pathsMap: '/b/ b\n' });
});

test('of the shapes the newest are kept, and the one that HAProxy has', async () => {
  await using folder = await tempDir();
  const files = edgeFiles(folder.path);
  const writer = createConfigWriter(files);
  const names = Array.from({ length: 12 }, (_, i) => i.toString(16).padStart(16, '0'));

  for (const name of names) {
    await writer.shape(aRendered(name), names[0]);
    await writer.onDisk();
  }

  const kept = (await readdir(folder.path)).sort();
  expect(kept).toEqual([names[0], ...names.slice(-5)].map((name) => `shape-${name}.json`));
});

const MAPS = ['hostsMap', 'vhostsMap', 'variantsMap', 'pathsMap'] as const;

function aRendered(fingerprint: string): RenderedEdge {
  const { plan } = createPlanner()(aCatalog([]), POLICY, new Map());
  const maps = { certificateList: '', hostsMap: '', vhostsMap: '', variantsMap: '', pathsMap: '' };
  return { config: () => 'ours', ...maps, shape: shapeOf(plan), fingerprint };
}
