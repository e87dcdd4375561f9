import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { textOf } from '../../consul/byte-text.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { type ConsulData, clearData, loadData } from '../harness/consul-data.ts';
import { PROJECT_FOLDER } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { startEngine } from '../harness/template-engine.ts';

/**
 * A folder a case: `toots.njk` is rendered over the data set that `case.json` names, and has to give the bytes of `expected`, which the real
 * consul-template recorded from `go.ctmpl`; or it `fails` with these words.
 */
const FIXTURES = join(PROJECT_FOLDER, 'test/fixtures/templates');
/** The agent's node in the recordings; where it sorts is part of them. */
const NODE = 'consul-1';

interface Case {
  readonly id: string;
  readonly about: string;
  readonly data?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly fails?: readonly string[];
}

const cases: readonly Case[] = readdirSync(join(FIXTURES, 'cases'))
  .sort()
  .map((id) => ({ id, ...JSON.parse(readFileSync(join(FIXTURES, 'cases', id, 'case.json'), 'utf8')) }));
const dataSets = [...new Set(cases.map(({ data }) => data))];

let consul: TestConsul;
beforeAll(async () => {
  consul = await startConsul({ node: NODE });
}, 30_000);
afterAll(async () => {
  await consul?.[Symbol.asyncDispose]();
});

describe.each(dataSets)('with data set %s', (set) => {
  const data: ConsulData = set === undefined ? {} : JSON.parse(readFileSync(join(FIXTURES, 'data', `${set}.json`), 'utf8'));
  beforeAll(() => loadData(consul, data), 30_000);
  afterAll(() => clearData(consul, data), 30_000);

  test.each(cases.filter((one) => one.data === set))('$id: $about', async (one) => {
    await using folder = await tempDir();
    const source = join(folder.path, 'toots.njk');
    const destination = join(folder.path, 'rendered', 'output');
    await copyCase(join(FIXTURES, 'cases', one.id), source);

    await using running = startEngine(consul.url, [{ source: { kind: 'file', path: source }, destination }], { env: one.env ?? {} });
    await running.engine.allDone(AbortSignal.timeout(5_000));
    const [status] = running.engine.status();

    if (one.fails !== undefined) {
      expect(existsSync(destination)).toBe(false);
      for (const words of one.fails) expect(status?.error).toContain(words);
      return;
    }
    expect({ error: undefined, ...status }).toMatchObject({ error: undefined, state: 'current', missing: [] });
    const expected = await readFile(join(FIXTURES, 'cases', one.id, 'expected'));
    expect(textOf(await readFile(destination))).toBe(textOf(expected));
  });
});

async function copyCase(from: string, source: string): Promise<void> {
  await mkdir(dirname(source), { recursive: true });
  if (existsSync(join(from, 'files'))) await cp(join(from, 'files'), dirname(source), { recursive: true });
  await cp(join(from, 'toots.njk'), source);
}
