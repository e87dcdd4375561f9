import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { VERSION } from '../../daemon/version.ts';
import { EDGE_FLAGS } from '../../deploy/edge-flags.ts';
import { runIn } from '../harness/clone.ts';
import { PROJECT_FOLDER } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';

const PROGRAMS = join(PROJECT_FOLDER, 'dist/programs');
const STARTS = [
  { program: 'deploy', flags: [] },
  { program: 'registrator', flags: [] },
  { program: 'templater', flags: [] },
  { program: 'templater', flags: ['--max-semi-space-size=1'] },
  { program: 'templater', flags: EDGE_FLAGS },
];

const FLAG = '--max-semi-space-size=1';

/** Says what V8 thinks of the code that the last build left. */
const JUDGE = `
const [bundle] = process.argv.slice(1);
const { readFileSync } = require('node:fs');
const source = require('node:module').wrap(readFileSync(bundle, 'utf8'));
const cachedData = readFileSync(bundle + '.' + require('node:v8').cachedDataVersionTag());
console.log(new (require('node:vm').Script)(source, { filename: bundle, cachedData }).cachedDataRejected);`;

test.each(STARTS)('$program $flags: the build leaves code that Node takes', async ({ program, flags }) => {
  const { output } = await runIn(PROGRAMS, process.execPath, [...flags, '-e', JUDGE, join(PROGRAMS, `${program}.bundle.cjs`)]);

  expect(output).toBe('false\n');
});

test('toots.sh and the image start an edge with the flags that the build keeps its code for', async () => {
  const [script, dockerfile] = await Promise.all(
    ['toots.sh', 'compose/Dockerfile'].map((name) => readFile(join(PROJECT_FOLDER, name), 'utf8')),
  );

  expect(script).toContain(`templater*-edge*) exec node ${EDGE_FLAGS.join(' ')} "$home/dist/programs/`);
  expect(dockerfile).toContain(`node ${EDGE_FLAGS.join(' ')} dist/programs/templater.cjs --help`);
});

test('a program starts with a part of its compiled code, with what is none, and without any', async () => {
  await using folder = await tempDir();
  await cp(PROGRAMS, join(folder.path, 'dist/programs'), { recursive: true });
  await cp(join(PROJECT_FOLDER, 'package.json'), join(folder.path, 'package.json'));
  const inFolder = (name: string) => join(folder.path, 'dist/programs', name);
  const tag = (await runIn('/', process.execPath, [FLAG, '-p', "require('node:v8').cachedDataVersionTag()"])).output.trim();
  const code = inFolder(`templater.bundle.cjs.${tag}`);
  const version = async () => await runIn('/', process.execPath, [FLAG, inFolder('templater.cjs'), '--version']);

  const whole = await version();
  await truncate(code, 100_000);
  const part = await version();
  await writeFile(code, 'none');
  const none = await version();
  await rm(code);
  const missing = await version();

  const said = `toots templater ${VERSION}\n`;
  for (const told of [whole, part, none, missing]) expect(told).toEqual({ code: 0, output: said });
});
