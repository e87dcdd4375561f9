import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { confKeys, readConf } from '../../../deploy/cluster/conf.ts';
import { parseConfText } from '../../../deploy/cluster/conf-text.ts';
import { PROJECT_FOLDER } from '../../harness/program.ts';

test('the page on clusters lists every key of Toots.conf, as the program describes it', async () => {
  const page = await readFile(join(PROJECT_FOLDER, 'docs/cluster.md'), 'utf8');

  const rows = confKeys().map(({ name, about }) => `| \`${name}\` | ${about} |`);
  expect(page).toContain(`| key | what |\n|---|---|\n${rows.join('\n')}\n`);
});

test('the example of a Toots.conf is right as it stands', async () => {
  const text = parseConfText(await readFile(join(PROJECT_FOLDER, 'Toots.conf.example'), 'utf8'), 'Toots.conf');

  expect(text.problems).toEqual([]);
  expect(readConf(text.entries)).toMatchObject({ kind: 'conf', conf: { MASTERS: ['10.0.0.1', '10.0.0.2', '10.0.0.3'], NIC: 'eth0' } });
});
