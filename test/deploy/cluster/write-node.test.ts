import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { planNode } from '../../../deploy/cluster/plan-node.ts';
import { writeUpstream } from '../../../deploy/cluster/resolv-conf.ts';
import type { Role } from '../../../deploy/cluster/roles.ts';
import { removeNodeFiles, writeNode } from '../../../deploy/cluster/write-node.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { aNode } from './a-node.ts';

const ALL: readonly Role[] = ['master', 'slave', 'edge'];

/** The folder of a node with every daemon, as up leaves it. */
async function aStateDir() {
  const folder = await tempDir();
  const stateDir = join(folder.path, 'state');
  const answers = { internalDns: true, vip: '10.0.0.100' };
  await writeNode(planNode(aNode({ roles: ALL, answers, context: { stateDir } })), stateDir);
  await writeUpstream(stateDir, '10.0.0.2');
  return { ...folder, stateDir };
}

test('down -volumes leaves nothing of what up wrote, neither token nor key', async () => {
  await using folder = await aStateDir();
  await writeFile(join(folder.stateDir, 'compose.yaml.new'), ''); // of an up that was killed

  expect(await readdir(join(folder.stateDir, 'consul'))).toEqual(expect.arrayContaining(['agent.json', 'agent-key.pem']));
  await removeNodeFiles(folder.stateDir);

  await expect(access(folder.stateDir)).rejects.toThrow('ENOENT');
});

test('down -volumes leaves what others put there, such as a backup', async () => {
  await using folder = await aStateDir();
  await mkdir(join(folder.stateDir, 'backups'));
  await writeFile(join(folder.stateDir, 'consul.snapshot'), '');

  await removeNodeFiles(folder.stateDir);

  expect((await readdir(folder.stateDir)).sort()).toEqual(['backups', 'consul.snapshot']);
});
