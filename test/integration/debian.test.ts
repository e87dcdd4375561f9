import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { execa } from 'execa';
import { hasCandidate, unpackFrom } from '../../deploy/host/debian.ts';
import { tempDir } from '../harness/temp-dir.ts';

const { signal } = new AbortController();

test('Consul is had from an earlier Debian, without a change to this one’s packages', async () => {
  await using folder = await tempDir();
  const before = await readdir('/etc/apt/sources.list.d');

  const root = await unpackFrom('bullseye', 'consul', folder.path, signal);

  const { stdout } = await execa(join(root, 'usr/bin/consul'), ['version']);
  expect(stdout).toMatch(/^Consul v?1\.8\.7/);
  expect(await readdir('/etc/apt/sources.list.d')).toEqual(before);
}, 120_000);

test('a suite that the mirror does not have is an error with apt’s words', async () => {
  await using folder = await tempDir();

  await expect(unpackFrom('no-such-suite', 'consul', folder.path, signal)).rejects.toThrow(/apt-get .*no-such-suite/s);
}, 60_000);

test('what apt could install is known', async () => {
  expect(await hasCandidate('haproxy', signal)).toBe(true);
  expect(await hasCandidate('no-such-package', signal)).toBe(false);
});
