import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { PROJECT_FOLDER } from '../harness/program.ts';

/** The packages that a file loads with it, by itself and by what it imports; what is imported later by `import()` is none of them. */
function packagesOf(path: string, seen: Set<string> = new Set()): ReadonlySet<string> {
  const packages = new Set<string>();
  if (seen.has(path)) return packages;
  seen.add(path);
  for (const [, clause = '', name = ''] of readFileSync(path, 'utf8').matchAll(/^import (?!type )(?:([^;']*?) from )?'([^']+)';/gms)) {
    const isTypesAlone = /^\{(\s*type \w+( as \w+)?,?)+\s*\}$/.test(clause);
    if (isTypesAlone || name.startsWith('node:')) continue;
    if (!name.startsWith('.')) packages.add(name);
    else for (const found of packagesOf(join(dirname(path), name), seen)) packages.add(found);
  }
  return packages;
}

test.each([
  ['templater/main.ts', ['valibot']],
  ['templater/template/program.ts', ['valibot', 'nunjucks']],
  ['templater/template/template-api.ts', ['prom-client']],
])('%s loads %j at the start: each package costs every run milliseconds and megabytes', (path, packages) => {
  expect([...packagesOf(join(PROJECT_FOLDER, path))]).toEqual(packages);
});
