import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createCertificateStore } from '../../../templater/haproxy/certificates.ts';
import { edgeFiles } from '../../../templater/haproxy/edge-settings.ts';
import { tempDir } from '../../harness/temp-dir.ts';

test('what is no file among the certificates is a problem, and is not read: a pipe would be read for ever', async () => {
  await using folder = await tempDir();
  execFileSync('mkfifo', [join(folder.path, 'pipe.pem')]);
  await mkdir(join(folder.path, 'folder.pem'));
  await writeFile(join(folder.path, 'text.pem'), 'no certificate');
  const store = createCertificateStore(folder.path, edgeFiles(join(folder.path, 'run')), async () => new Map());

  expect(await store.read()).toBe(false);
  expect(store.problems().map(({ value, reason }) => [value?.replace(`${folder.path}/`, ''), reason.slice(0, 17)])).toEqual([
    ['folder.pem', 'it has to be a fi'],
    ['pipe.pem', 'it has to be a fi'],
    ['text.pem', 'it has to hold a '],
  ]);
});
