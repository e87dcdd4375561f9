import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The parts of `toots test`, in the order in which all of them run. */
export const TEST_PARTS = ['quick', 'integration', 'cluster', 'browser'] as const;
export type TestPart = (typeof TEST_PARTS)[number];

/** Parts with a folder of their own below test/; everything else there is quick. */
const FOLDERS = TEST_PARTS.filter((part) => part !== 'quick').map((part) => `test/${part}/`);

/** Tests that run only when their part is asked for by name: they take long. */
const LONG: Partial<Readonly<Record<TestPart, string>>> = { cluster: '/test/cluster/large-' };

/** What jest is told so that it runs this part alone, without its long tests unless `byName`. Pure. */
export function jestArguments(part: TestPart, byName: boolean): readonly string[] {
  if (part === 'quick') return FOLDERS.map((folder) => `--testPathIgnorePatterns=/${folder}`);
  // Real programs beside each other would slow each other down, and wait on one engine. A test may ask for more than this time.
  const long = byName ? undefined : LONG[part];
  // Last: jest takes what follows this option for further patterns of it.
  return ['--runInBand', '--testTimeout=30000', `/test/${part}/`, ...(long === undefined ? [] : [`--testPathIgnorePatterns=${long}`])];
}

/** The parts that have a test. */
export function presentParts(projectFolder: string): readonly TestPart[] {
  return TEST_PARTS.filter((part) => part === 'quick' || hasTests(join(projectFolder, 'test', part)));
}

function hasTests(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder, { recursive: true }).some((file) => String(file).endsWith('.test.ts'));
}
