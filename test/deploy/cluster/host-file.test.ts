import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readSettings } from '../../../daemon/settings.ts';
import { type Answers, answersOf, hostFileText } from '../../../deploy/cluster/answers.ts';
import { givenEntries, nodeOptions } from '../../../deploy/cluster/node-options.ts';
import { confFiles, readClusterConf } from '../../../deploy/cluster/read-conf.ts';
import { tempDir } from '../../harness/temp-dir.ts';

/** A node's Toots.conf and restricted/host; `up` reads both with these words, and writes the latter, as the command does. */
async function aNodeFolder() {
  const folder = await tempDir();
  const file = join(folder.path, 'Toots.conf');
  const { host, restricted } = confFiles(file);
  await mkdir(restricted);
  const up = async (text: string, ...words: readonly string[]): Promise<Answers> => {
    await writeFile(file, `MASTERS=10.0.0.1\n${text}`);
    const settings = readSettings({ name: 'up', usage: '', about: '', options: nodeOptions }, words, {});
    if (settings.kind !== 'settings') throw new Error(JSON.stringify(settings));
    const read = await readClusterConf(file, givenEntries(settings.settings).entries);
    if (read.kind === 'wrong') throw new Error(read.problems.join('\n'));
    const answers = answersOf(read.conf);
    if (answers === undefined) throw new Error('no roles');
    await writeFile(host, hostFileText(answers, read.told));
    return answers;
  };
  const written = async () => (await readFile(host, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { ...folder, restricted, up, written };
}

const SLAVE_AND_EDGE = ['MASTER=false', 'SLAVE=true', 'EDGE=true'];

test.each<[string, string, string, Partial<Answers>]>([
  ['a VIP', 'VIP=10.0.0.100', 'VIP=10.0.0.101', { vip: '10.0.0.101' }],
  ['a VIP that goes', 'VIP=10.0.0.100', '', { vip: undefined }],
  ['a VIP that comes', '', 'VIP=10.0.0.101', { vip: '10.0.0.101' }],
  ['NFS', 'SLAVE_MODE=persistent\nNFS=a:/s', 'SLAVE_MODE=persistent\nNFS=b:/s', { nfs: 'b:/s' }],
  ['SLAVE_MODE', '', 'SLAVE_MODE=persistent\nNFS=b:/s', { slaveMode: 'persistent' }],
  ['START_DNSMASQ', 'START_DNSMASQ=true', 'START_DNSMASQ=false', { internalDns: false }],
  ['DNS_ANSWER', 'START_DNSMASQ=true', 'START_DNSMASQ=true\nDNS_ANSWER=instances', { dnsAnswer: 'instances' }],
])('TT-80: %s that is another in Toots.conf after up counts', async (_, before, after, expected) => {
  await using node = await aNodeFolder();
  await node.up(before, '-roles', 'slave,edge');

  expect(await node.written()).toEqual(SLAVE_AND_EDGE);
  expect(await node.up(after)).toMatchObject(expected);
  expect(await node.written()).toEqual(SLAVE_AND_EDGE);
});

test('TT-80: START_REGISTRATOR that is another in Toots.conf after up counts on a master', async () => {
  await using node = await aNodeFolder();
  await node.up('', '-roles', 'master');

  expect(await node.up('START_REGISTRATOR=false')).toMatchObject({ registerMasters: false });
});

test('TT-80: what was answered here beats Toots.conf, is kept, and is taken back by an empty flag', async () => {
  await using node = await aNodeFolder();
  const words = ['-vip', '10.0.0.99', '-internal-dns', 'yes', '-slave-mode', 'persistent', '-nfs', 'c:/s'];
  await node.up('VIP=10.0.0.100', '-roles', 'slave,edge', ...words);

  expect(await node.up('VIP=10.0.0.101\nSTART_DNSMASQ=false')).toMatchObject({ vip: '10.0.0.99', internalDns: true, nfs: 'c:/s' });
  expect(await node.written()).toEqual([...SLAVE_AND_EDGE, 'VIP=10.0.0.99', 'SLAVE_MODE=persistent', 'NFS=c:/s', 'START_DNSMASQ=true']);
  expect(await node.up('VIP=10.0.0.101', '-vip', '', '-nfs', '')).toMatchObject({ vip: undefined, nfs: undefined });
  expect(await node.written()).toEqual([...SLAVE_AND_EDGE, 'VIP=', 'SLAVE_MODE=persistent', 'START_DNSMASQ=true']);
  expect(await node.up('VIP=10.0.0.101')).toMatchObject({ vip: undefined });
});

test('TT-81: what restricted/overwrite says is no answer, and goes when it goes there', async () => {
  await using node = await aNodeFolder();
  await writeFile(join(node.restricted, 'overwrite'), 'VIP=10.0.0.7\n');

  expect(await node.up('', '-roles', 'edge')).toMatchObject({ vip: '10.0.0.7' });
  await writeFile(join(node.restricted, 'overwrite'), '');
  expect(await node.up('')).toMatchObject({ vip: undefined });
});
