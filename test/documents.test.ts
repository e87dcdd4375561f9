import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { tagsPage } from '../deploy/tags-page.ts';
import { PROJECT_FOLDER } from './harness/program.ts';

const NOT_OURS = new Set(['node_modules', 'dist', '.toots', '.git', 'coverage']);
const pages = readdirSync(PROJECT_FOLDER, { withFileTypes: true })
  .filter(({ name }) => !NOT_OURS.has(name))
  .flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(join(PROJECT_FOLDER, entry.name), { recursive: true }).map((file) => join(entry.name, String(file)))
      : [entry.name],
  )
  .filter((file) => file.endsWith('.md'));
const read = (file: string) => readFileSync(join(PROJECT_FOLDER, file), 'utf8');

describe.each(pages)('%s', (page) => {
  test('links to files that there are', () => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) => link);

    expect(links.filter((link) => !existsSync(join(PROJECT_FOLDER, dirname(page), link)))).toEqual([]);
  });

  test('names files of the project that there are', () => {
    const paths = [...read(page).matchAll(/`((?:model|consul|daemon|registrator|templater|deploy|test|docs)\/[\w./-]*\w\/?)`/g)].map(
      ([, path = '']) => path,
    );

    expect(paths.filter((path) => !existsSync(join(PROJECT_FOLDER, path)))).toEqual([]);
  });
});

test('docs/tags.md is what the table of options says; `npm run docs` writes it', () => {
  expect(read('docs/tags.md')).toBe(tagsPage());
});
