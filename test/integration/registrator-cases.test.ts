import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { execa } from 'execa';
import { newerDockerd, startEngine } from '../harness/docker-engine.ts';
import { PROJECT_FOLDER } from '../harness/program.ts';
import { DOCKER } from '../harness/registrator.ts';

const FIXTURES = join(PROJECT_FOLDER, 'test/fixtures/registrator');
const COMMAND = './toots.sh registrator {args} --docker {docker} --owner {owner} --api 127.0.0.1:{apiPort} consul://127.0.0.1:{consulPort}';
const FILES = ['cases.json', 'more-cases.json'].flatMap((name) => ['--cases', join(FIXTURES, name)]);

/** What depends on the engine: images, bindings, networks, pauses, health. TOOTS_TEST_ALL_CASES=1 runs all cases on both engines. */
const OF_THE_ENGINE =
  process.env['TOOTS_TEST_ALL_CASES'] === undefined
    ? ['--only', 'T005,T006,T007,T011,T012,T016,T017,R017,R018,R028,R065,R066,R067,R068,R069,R070,R080,R091,R094']
    : [];

/** `enter` is a program that runs another where the engine's containers are. */
async function expectAllToPass(docker: string, args: readonly string[], enter: readonly string[] = []): Promise<void> {
  const run = [process.execPath, join(FIXTURES, 'run.mjs'), ...FILES, '--cmd', COMMAND, '--docker', docker, ...args];
  const [file = '', ...words] = [...enter, ...run];
  const { stdout, stderr, exitCode } = await execa(file, words, { cwd: PROJECT_FOLDER, stdin: 'ignore', reject: false });

  const failed = stdout.split('\n').filter((line) => !/^ok /.test(line));
  expect(failed).toEqual([expect.stringMatching(/^[1-9]\d* passed, 0 failed$/)]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
}

/** Real containers in, registrations out: gliderlabs registrator's behaviour, and where ours differs, case by case. */
test('every container of the case files is registered as they say', async () => {
  await expectAllToPass(DOCKER, []);
}, 300_000);

test('on a newer engine too', async () => {
  await using engine = await startEngine({ hasBridge: true, dockerd: await newerDockerd() });

  await expectAllToPass(engine.url, OF_THE_ENGINE, ['nsenter', `--net=${engine.namespace}`]);
}, 400_000);
