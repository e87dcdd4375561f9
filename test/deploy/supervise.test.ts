import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isRunning, type ProcessIdentity } from '../../deploy/host/process-identity.ts';
import { supervise } from '../../deploy/supervise.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

test('a program that ends is started again, and ended with its supervisor', async () => {
  await using folder = await tempDir();
  const stop = new AbortController();
  const [started, lost]: [ProcessIdentity[], string[]] = [[], []];
  const options = { logFolder: folder.path, started: (one: ProcessIdentity) => started.push(one), lost: (how: string) => lost.push(how) };
  const flag = join(folder.path, 'been');
  const script = `echo start; [ -e ${flag} ] && exec sleep 60; touch ${flag}; exit 3`;

  const supervision = supervise({ name: 'sleeper', file: 'sh', args: ['-c', script] }, options, stop.signal);
  // The first may have ended before anybody could say who it was.
  const second = await until(() => (lost.length > 0 ? started.find(isRunning) : undefined), 15_000, 'a second start');
  const log = join(folder.path, 'sleeper.log');
  await until(async () => (await readFile(log, 'utf8')) === 'start\nstart\n', 15_000, 'what both starts wrote');
  expect(lost).toEqual(['exit 3']);
  expect(isRunning(second)).toBe(true);

  stop.abort();
  await supervision;
  expect(isRunning(second)).toBe(false);
}, 40_000);

test('a program that is not there is an error that names it', async () => {
  await using folder = await tempDir();
  const options = { logFolder: folder.path, started: () => {}, lost: () => {} };

  await expect(supervise({ name: 'ghost', file: '/no/such/program', args: [] }, options, new AbortController().signal)).rejects.toThrow(
    'start ghost: /no/such/program',
  );
});
