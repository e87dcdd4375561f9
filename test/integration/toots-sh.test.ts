import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cloneProject, runIn } from '../harness/clone.ts';
import { freePort } from '../harness/free-port.ts';
import { PROJECT_FOLDER, startToots } from '../harness/program.ts';
import { until } from '../harness/until.ts';

/** The time npm may take on a slow line, milliseconds. */
const INSTALL_BUDGET_MS = 240_000;
/** The time a build may take on a busy machine, several times over, milliseconds. */
const BUILD_BUDGET_MS = 90_000;

const TOOTS = join(PROJECT_FOLDER, 'toots.sh');
const times = (text: string, what: string) => text.split(what).length - 1;

test(
  'in a fresh clone, several at the same moment install and build once, from anywhere, without stdin',
  async () => {
    await using clone = await cloneProject({ packages: false });
    const above = dirname(clone.path);
    await symlink('clone/toots.sh', join(above, 'toots'));

    const both = await Promise.all([
      runIn(above, './toots', ['help']),
      runIn(clone.path, 'sh', ['-c', 'exec <&-; ../clone/toots.sh help']),
    ]);

    for (const { code, output } of both) {
      expect(output).toContain('toots demo');
      expect(code).toBe(0);
    }
    const said = both.map(({ output }) => output).join('');
    expect([times(said, 'installing npm packages'), times(said, 'building …')]).toEqual([1, 1]);
    const lock = (folder: string) => readFile(join(folder, 'package-lock.json'), 'utf8');
    expect(await lock(clone.path)).toBe(await lock(PROJECT_FOLDER));
    expect((await runIn(above, './toots', ['help'])).output).not.toMatch(/^toots: /m);
  },
  INSTALL_BUDGET_MS,
);

test(
  'after a change it builds once more; what does not compile is told and nothing old is run',
  async () => {
    await using clone = await cloneProject({ packages: true });
    const toots = join(clone.path, 'toots.sh');
    const help = async () => runIn('/', toots, ['help']);
    expect((await help()).output).toContain('toots: building …');

    const [added, broken] = [join(clone.path, 'model/added.ts'), join(clone.path, 'model/broken.ts')];
    await writeFile(added, 'export const added = 1;\n');
    expect((await help()).output).toContain('toots: building …');
    await rm(added);
    expect((await help()).output).toContain('toots: building …');
    expect((await help()).output).not.toContain('building');

    await writeFile(broken, 'export const broken: number = "one";\n');
    const { code, output } = await help();
    expect(output).toMatch(/model\/broken\.ts.*error TS2322/s);
    expect(output).not.toContain('toots demo');
    expect(code).toBe(1);
  },
  BUILD_BUDGET_MS,
);

test(
  'an unknown command is refused with the nearest known',
  async () => {
    await runIn('/', TOOTS, ['help']); // so that it is built
    expect(await runIn('/', TOOTS, ['dmeo'])).toEqual({
      code: 2,
      output: 'toots: unknown command dmeo (did you mean demo?)\ntoots: see toots help\n',
    });
  },
  BUILD_BUDGET_MS,
);

test(
  'wrong options are refused, all at once',
  async () => {
    const { code, output } = await runIn('/', TOOTS, ['demo', '--chekc', '--run-dir']);

    expect(output).toContain('unknown option -chekc (did you mean -check?)');
    expect(output).toContain('-run-dir: its value DIR is missing');
    expect(code).toBe(2);
  },
  BUILD_BUDGET_MS,
);

test(
  'the program takes the place of the script: its number, its signals, its exit code',
  async () => {
    const [api, consul] = [await freePort(), await freePort()];
    await using registrator = await startToots(['registrator', '--api', `127.0.0.1:${api}`, `consul://127.0.0.1:${consul}`]);
    await until(async () => (await fetch(`http://127.0.0.1:${api}/health/live`)).ok, 20_000, 'the registrator lives');

    const words = await readFile(`/proc/${registrator.pid}/cmdline`, 'utf8');

    expect(words.split('\0')[1]).toBe(join(PROJECT_FOLDER, 'dist/programs/registrator.cjs'));
    registrator.signal('SIGTERM');
    expect(await registrator.ended).toBe(0);
  },
  BUILD_BUDGET_MS,
);
