import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { missingOfMaster } from '../../../deploy/cluster/make-secrets.ts';
import { confFiles } from '../../../deploy/cluster/read-conf.ts';
import { secretsState } from '../../../deploy/cluster/read-machine.ts';
import { withoutMaster } from '../../../deploy/cluster/secrets.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { SECRETS } from './a-node.ts';

const FILES = confFiles('/c/Toots.conf');

test('a master that has secrets.nodes.json alone is told what is missing and what to do', () => {
  const ofNodes = { file: FILES.nodeSecrets, secrets: withoutMaster(SECRETS) };

  expect(missingOfMaster(FILES, ofNodes, true)).toMatch(
    /^\/c\/restricted\/secrets\.json is missing.*copy restricted\/secrets\.json of another master here; .*secrets -replace makes new ones/,
  );
  expect(missingOfMaster(FILES, ofNodes, false)).toBeUndefined();
  expect(missingOfMaster(FILES, { file: FILES.secrets, secrets: SECRETS }, true)).toBeUndefined();
});

test('secrets that are cut off are a finding among the others, with a remedy', async () => {
  await using folder = await tempDir();
  const files = confFiles(join(folder.path, 'Toots.conf'));
  await mkdir(files.restricted);
  await writeFile(files.secrets, JSON.stringify(SECRETS).slice(0, 200), { mode: 0o644 });

  expect(await secretsState(files, true)).toEqual({
    file: files.secrets,
    readableByOthers: true,
    wrong: { what: 'it is not what ./toots.sh secrets wrote', remedy: expect.stringMatching(/^copy it anew from a master/) },
  });
});
