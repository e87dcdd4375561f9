import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { execa } from 'execa';
import { jestArguments, presentParts } from '../../../deploy/tests/test-parts.ts';
import { PROJECT_FOLDER } from '../../harness/program.ts';
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

test.each([
  [false, ['small-cluster.test.ts']],
  [true, ['large-cluster.test.ts', 'small-cluster.test.ts']],
])('the large cluster is tested only when the part is asked for by name: %s', async (byName, files) => {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--listTests', ...jestArguments('cluster', byName)];
  const { stdout } = await execa(process.execPath, jest, { cwd: PROJECT_FOLDER });

  expect(
    stdout
      .split('\n')
      .map((path) => basename(path))
      .sort(),
  ).toEqual(files);
});

test('a part without a test is not there', async () => {
  await using folder = await tempDir();
  await mkdir(join(folder.path, 'test/integration/edge'), { recursive: true });
  await mkdir(join(folder.path, 'test/cluster'), { recursive: true });
  await writeFile(join(folder.path, 'test/integration/edge/a.test.ts'), '');
  await writeFile(join(folder.path, 'test/cluster/notes.md'), '');

  expect(presentParts(folder.path)).toEqual(['quick', 'integration']);
});
