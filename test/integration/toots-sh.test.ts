import { cp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../harness/free-port.ts';
import { PROJECT_FOLDER, startProgram, startToots } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

/** The time npm may take on a slow line, milliseconds. */
const INSTALL_BUDGET_MS = 240_000;

/** What a fresh clone does not have. */
const NOT_CLONED = new Set(['node_modules', 'dist', '.toots', '.git', 'coverage']);

async function clone(to: string): Promise<void> {
  await cp(PROJECT_FOLDER, to, { recursive: true, filter: (source) => !NOT_CLONED.has(basename(source)) });
}

async function run(
  file: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number | string; readonly output: string }> {
  await using program = await startProgram(file, args, { cwd });
  const code = await program.ended;
  return { code, output: program.output() };
}

const times = (text: string, what: string) => text.split(what).length - 1;

test(
  'in a fresh clone, several at the same moment install and build once, from anywhere, without stdin',
  async () => {
    await using folder = await tempDir();
    await clone(join(folder.path, 'clone'));
    await symlink('clone/toots.sh', join(folder.path, 'toots'));

    const both = await Promise.all([
      run('./toots', ['help'], folder.path),
      run('sh', ['-c', 'exec <&-; ../clone/toots.sh help'], join(folder.path, 'clone')),
    ]);

    for (const { code, output } of both) {
      expect(output).toContain('toots demo');
      expect(code).toBe(0);
    }
    const said = both.map(({ output }) => output).join('');
    expect([times(said, 'installing npm packages'), times(said, 'building …')]).toEqual([1, 1]);
    const lock = await readFile(join(folder.path, 'clone/package-lock.json'), 'utf8');
    expect(lock).toBe(await readFile(join(PROJECT_FOLDER, 'package-lock.json'), 'utf8'));
    expect((await run('./toots', ['help'], folder.path)).output).not.toContain('…');
  },
  INSTALL_BUDGET_MS,
);

describe('in a clone that is installed', () => {
  const toots = join(PROJECT_FOLDER, 'toots.sh');
  beforeAll(async () => {
    await run(toots, ['help'], '/'); // built, whatever came before
  }, INSTALL_BUDGET_MS);

  test('an unknown command is refused with the nearest known', async () => {
    expect(await run(toots, ['dmeo'], '/')).toEqual({
      code: 2,
      output: 'toots: unknown command dmeo (did you mean demo?)\ntoots: see toots help\n',
    });
  });

  test('wrong options are refused, all at once', async () => {
    const { code, output } = await run(toots, ['demo', '--chekc', '--run-dir'], '/');

    expect(output).toContain('unknown option -chekc (did you mean -check?)');
    expect(output).toContain('-run-dir: its value DIR is missing');
    expect(code).toBe(2);
  });

  test('the program takes the place of the script: its number, its signals, its exit code', async () => {
    const [api, consul] = [await freePort(), await freePort()];
    await using registrator = await startToots(['registrator', '--api', `127.0.0.1:${api}`, `consul://127.0.0.1:${consul}`]);
    await until(async () => (await fetch(`http://127.0.0.1:${api}/health/live`)).ok, 20_000, 'the registrator lives');

    const words = await readFile(`/proc/${registrator.pid}/cmdline`, 'utf8');

    expect(words.split('\0')[1]).toBe(join(PROJECT_FOLDER, 'dist/registrator/main.js'));
    registrator.signal('SIGTERM');
    expect(await registrator.ended).toBe(0);
  }, 30_000);
});

describe('after a change', () => {
  test('it builds once more; what does not compile is told and nothing old is run', async () => {
    await using folder = await tempDir();
    await clone(folder.path);
    await symlink(join(PROJECT_FOLDER, 'node_modules'), join(folder.path, 'node_modules'));
    // As if it was installed just now.
    await run('sh', ['-c', 'mkdir .toots && touch .toots/installed'], folder.path);
    const toots = join(folder.path, 'toots.sh');
    expect((await run(toots, ['help'], '/')).output).toContain('toots: building …');

    const [added, broken] = [join(folder.path, 'model/added.ts'), join(folder.path, 'model/broken.ts')];
    await writeFile(added, 'export const added = 1;\n');
    expect((await run(toots, ['help'], '/')).output).toContain('toots: building …');
    await rm(added);
    expect((await run(toots, ['help'], '/')).output).toContain('toots: building …');
    expect((await run(toots, ['help'], '/')).output).not.toContain('building');

    await writeFile(broken, 'export const broken: number = "one";\n');
    const { code, output } = await run(toots, ['help'], '/');
    expect(output).toMatch(/model\/broken\.ts.*error TS2322/s);
    expect(output).not.toContain('toots demo');
    expect(code).toBe(1);
  }, 60_000);
});
