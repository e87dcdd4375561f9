import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { didYouMean } from '../../daemon/did-you-mean.ts';
import { live } from '../../daemon/live.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { command, wrongUsage } from '../command.ts';
import { endEngine, ensureEngine } from '../host/docker-engine.ts';
import { installBrowser, installNeeds } from '../host/needs.ts';
import { createProgress, type Progress, STDOUT } from '../progress.ts';
import { PROJECT_FOLDER } from '../project.ts';
import { type Tally, tallyOf, total } from './jest-report.ts';
import { jestArguments, presentParts, TEST_PARTS, type TestPart } from './test-parts.ts';

/** Lint, types and tests; installs what they need. The last line of its output is `N passed, N failed`. */
export const testCommand = command(
  {
    name: 'test',
    usage: `[${TEST_PARTS.join('|')}]`,
    line: 'Lint, types and tests of this project; installs what they need',
    about: 'Runs lint, types and the tests of one part, or of all. The last line says how many passed and failed; exit 0 when none failed.',
    options: {},
    positionals: { least: 0, most: 1 },
  },
  async (_, [word]) => {
    const present = presentParts(PROJECT_FOLDER);
    const wanted = word === undefined ? present : TEST_PARTS.filter((part) => part === word);
    if (wanted.length === 0) return wrongUsage([`unknown part ${word}${didYouMean(word ?? '', TEST_PARTS, '')}`], 'toots test -help');
    return await live(async (signal) => {
      const { passed, failed } = await runAll(wanted, present, word !== undefined, signal);
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
      return failed === 0 ? 0 : 1;
    });
  },
);

async function runAll(parts: readonly TestPart[], present: readonly TestPart[], byName: boolean, signal: AbortSignal): Promise<Tally> {
  const progress = createProgress(STDOUT);
  const tallies = [await check('lint', progress, signal), await check('types', progress, signal)];
  try {
    for (const part of parts) {
      if (!present.includes(part)) throw new OperationError(`run the ${part} tests`, { subject: `test/${part}`, hint: 'there are none' });
      if (part === 'browser') await installBrowser(progress, signal);
      tallies.push(
        await (part === 'quick' ? jest(part, byName, signal) : withRealPrograms(progress, () => jest(part, byName, signal), signal)),
      );
    }
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    process.stderr.write(`toots: ${error.message}\n`);
    tallies.push({ passed: 0, failed: 1 });
  }
  return total(tallies);
}

/** A check that is no test: shows what it says only when it fails, and counts as one failure then. */
async function check(script: 'lint' | 'types', progress: Progress, signal: AbortSignal): Promise<Tally> {
  const run = () =>
    execa('npm', ['run', '--silent', script], { cwd: PROJECT_FOLDER, stdin: 'ignore', all: true, reject: false, cancelSignal: signal });
  const { failed, all } = await progress.step(script, run, (result) => (result.failed ? 'failed' : ''));
  if (failed) process.stderr.write(`${all}\n`);
  return { passed: 0, failed: failed ? 1 : 0 };
}

/** Installs what is missing and has a Docker engine run; one that was started for the tests ends with them. */
async function withRealPrograms(progress: Progress, tests: () => Promise<Tally>, signal: AbortSignal): Promise<Tally> {
  await installNeeds(progress, signal);
  const logs = await mkdtemp(join(tmpdir(), 'toots-engine-'));
  const { started } = await progress.step(
    'Docker engine',
    () => ensureEngine(logs, signal),
    ({ version }) => version,
  );
  try {
    return await tests();
  } finally {
    if (started !== undefined) await endEngine(started);
    await rm(logs, { recursive: true, force: true });
  }
}

/** @throws OperationError when jest could not even write its report. */
async function jest(part: TestPart, byName: boolean, signal: AbortSignal): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'toots-jest-'));
  const report = join(folder, 'report.json');
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  // A test that failed may leave a connection or a timer behind; the report is written by then, and nobody waits for it.
  const words = [...node, '--ci', '--forceExit', '--json', '--outputFile', report, ...jestArguments(part, byName)];
  try {
    process.stdout.write(`\n${part} tests\n`);
    const { shortMessage } = await execa(process.execPath, words, {
      cwd: PROJECT_FOLDER,
      stdio: ['ignore', 'ignore', 'inherit'],
      reject: false,
      cancelSignal: signal,
    });
    const text = await readFile(report, 'utf8').catch((cause: unknown) => {
      throw new OperationError(`run the ${part} tests`, { cause, hint: shortMessage ?? 'jest wrote no report' });
    });
    return tallyOf(JSON.parse(text));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
