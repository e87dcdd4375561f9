import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cloneProject, runIn } from '../harness/clone.ts';

/** Three builds, lints and type checks, on a busy machine, milliseconds. */
const BUDGET_MS = 120_000;

const lastLine = (output: string) => output.trim().split('\n').at(-1);

test(
  'CI ends with how many passed and failed, and is red when a test fails, nothing ran, or lint does not hold',
  async () => {
    await using clone = await cloneProject({ packages: true });
    for (const name of await readdir(join(clone.path, 'test'))) {
      if (name !== 'harness') await rm(join(clone.path, 'test', name), { recursive: true });
    }
    const [tests, ci] = [join(clone.path, 'test/model'), join(clone.path, '.ci/run')];
    await mkdir(tests);
    const write = (file: string, ...bodies: readonly string[]) =>
      writeFile(
        join(tests, file),
        `import { expect, test } from '@jest/globals';\n\n${bodies.map((body, i) => `test('case ${i}', () => {\n  ${body}\n});\n`).join('\n')}`,
      );

    const nothing = await runIn('/', ci);
    expect([nothing.code, lastLine(nothing.output)]).toEqual([1, '0 passed, 1 failed']);

    await write('good.test.ts', 'expect(1).toBe(1);', 'expect(2).toBe(2);');
    const good = await runIn('/', ci);
    expect([good.code, lastLine(good.output)]).toEqual([0, '2 passed, 0 failed']);

    await write('bad.test.ts', 'expect(1).toBe(2);', "expect('unformatted').toBe(2)");
    const bad = await runIn('/', ci);
    expect(bad.output).toContain('✓ lint: failed');
    expect([bad.code, lastLine(bad.output)]).toEqual([1, '2 passed, 3 failed']);
  },
  BUDGET_MS,
);
