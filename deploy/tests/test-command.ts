import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { command } from '../command.ts';
import { PROJECT_FOLDER } from '../project.ts';
import { type Tally, tallyOf, total } from './jest-report.ts';

/** What each word of `toots test` runs: folders below test/ for jest, one run after the other. */
const QUICK = { ignored: ['test/integration', 'test/cluster', 'test/browser'] } as const;

export const testCommand = command(
  {
    name: 'test',
    usage: '[quick|integration|cluster|browser]',
    line: 'Checks and tests of this project; installs what they need',
    about: 'Runs lint, types and tests; without a word all of them. The last line says how many passed and failed.',
    options: {},
    positionals: { least: 0, most: 1 },
  },
  async () => {
    const tallies = [await check('lint'), await check('types'), await jest(['--testPathIgnorePatterns', ...QUICK.ignored])];
    const { passed, failed } = total(tallies);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return failed === 0 ? 0 : 1;
  },
);

/** A check that is no test: says nothing when it holds, counts as one failure when not. */
async function check(script: 'lint' | 'types'): Promise<Tally> {
  const { failed } = await execa('npm', ['run', '--silent', script], {
    cwd: PROJECT_FOLDER,
    stdio: ['ignore', 'inherit', 'inherit'],
    reject: false,
  });
  return { passed: 0, failed: failed ? 1 : 0 };
}

async function jest(args: readonly string[]): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'toots-jest-'));
  const report = join(folder, 'report.json');
  try {
    await execa('node', ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--json', '--outputFile', report, ...args], {
      cwd: PROJECT_FOLDER,
      stdio: ['ignore', 'ignore', 'inherit'],
      reject: false,
    });
    return tallyOf(JSON.parse(await readFile(report, 'utf8')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
