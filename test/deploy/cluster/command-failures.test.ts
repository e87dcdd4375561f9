import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { backupCommand } from '../../../deploy/cluster/backup-commands.ts';
import { writeSecrets } from '../../../deploy/cluster/make-secrets.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { SECRETS } from './a-node.ts';

const { master } = SECRETS;
if (master === undefined) throw new Error('these are no secrets of a master');
const MADE = { secrets: { ...SECRETS, master }, caKey: 'KEY' };

test('a backup into a folder that is not there, or onto one, says so in a line, before Consul is asked', async () => {
  await using folder = await tempDir();
  const failure = (file: string) =>
    backupCommand.run(['-conf', join(folder.path, 'Toots.conf'), file]).catch((error: Error) => `${error.name}: ${error.message}`);

  expect(await failure('/no/dir/x')).toBe(
    'OperationError: write the snapshot: /no/dir/x: ENOENT; name a file in a folder that is there and can be written',
  );
  expect(await failure(folder.path)).toBe(`OperationError: write the snapshot: ${folder.path}: it is a folder; name a file`);
});

test('a backup that Consul does not give leaves no file', async () => {
  await using folder = await tempDir();
  // The secrets of a node that is no master, so that nothing is asked of a Consul that may run here.
  const { master: _, ...ofNode } = SECRETS;
  const at = (name: string) => join(folder.path, 'restricted', name);
  await writeSecrets({ secrets: at('unused'), nodeSecrets: at('secrets.nodes.json'), caKey: at('ca-key.pem') }, MADE);
  await writeFile(at('secrets.nodes.json'), JSON.stringify(ofNode));

  await expect(backupCommand.run(['-conf', join(folder.path, 'Toots.conf'), join(folder.path, 'x')])).rejects.toThrow(/run it on a master/);
  expect(await readdir(folder.path)).toEqual(['restricted']);
});

test('secrets that cannot be written are told in a line', async () => {
  await using folder = await tempDir();
  await writeFile(join(folder.path, 'file'), '');
  const at = (name: string) => join(folder.path, 'file', name);

  await expect(writeSecrets({ secrets: at('a'), nodeSecrets: at('b'), caKey: at('c') }, MADE)).rejects.toMatchObject({
    name: 'OperationError',
    message: `write the secrets: ${at('c')}: EEXIST; its folder must be one that can be written`,
  });
});
