import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { jestArguments, presentParts } from '../../../deploy/tests/test-parts.ts';
import { tempDir } from '../../harness/temp-dir.ts';

test('the quick part is everything but the folders of the others', () => {
  expect(jestArguments('quick', false)).toEqual([
    '--testPathIgnorePatterns=/test/integration/',
    '--testPathIgnorePatterns=/test/cluster/',
    '--testPathIgnorePatterns=/test/browser/',
  ]);
});

test('a part with real programs runs one file after the other', () => {
  expect(jestArguments('integration', false)).toEqual(['--runInBand', '--testTimeout=30000', '/test/integration/']);
});

test('the large cluster is tested only when the part is asked for by name', () => {
  expect(jestArguments('cluster', false)).toContain('--testPathIgnorePatterns=/test/cluster/large-');
  expect(jestArguments('cluster', true)).toEqual(['--runInBand', '--testTimeout=30000', '/test/cluster/']);
});

test('a part without a test is not there', async () => {
  await using folder = await tempDir();
  await mkdir(join(folder.path, 'test/integration/edge'), { recursive: true });
  await mkdir(join(folder.path, 'test/cluster'), { recursive: true });
  await writeFile(join(folder.path, 'test/integration/edge/a.test.ts'), '');
  await writeFile(join(folder.path, 'test/cluster/notes.md'), '');

  expect(presentParts(folder.path)).toEqual(['quick', 'integration']);
});
