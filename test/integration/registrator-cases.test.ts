import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { execa } from 'execa';
import { PROJECT_FOLDER } from '../harness/program.ts';

const FIXTURES = join(PROJECT_FOLDER, 'test/fixtures/registrator');
const COMMAND = './toots.sh registrator {args} --docker {docker} --owner {owner} --api 127.0.0.1:{apiPort} consul://127.0.0.1:{consulPort}';

/** Real containers in, registrations out: gliderlabs registrator's behaviour, and where ours differs, case by case. */
test('every container of the case files is registered as they say', async () => {
  const cases = ['cases.json', 'more-cases.json'].flatMap((name) => ['--cases', join(FIXTURES, name)]);

  const { stdout, exitCode } = await execa(process.execPath, [join(FIXTURES, 'run.mjs'), ...cases, '--cmd', COMMAND], {
    cwd: PROJECT_FOLDER,
    stdin: 'ignore',
    reject: false,
  });

  const failed = stdout.split('\n').filter((line) => !/^ok /.test(line));
  expect(failed).toEqual([expect.stringMatching(/^\d+ passed, 0 failed$/)]);
  expect(exitCode).toBe(0);
}, 300_000);
