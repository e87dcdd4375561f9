import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { CONFIG_FIELDS, TEMPLATE_FIELDS } from '../../../templater/template/config-schema.ts';
import { FILTERS } from '../../../templater/template/filters/table.ts';
import { FUNCTIONS } from '../../../templater/template/functions/table.ts';
import { PROJECT_FOLDER } from '../../harness/program.ts';

const page = readFileSync(join(PROJECT_FOLDER, 'docs/migrate-from-consul-template.md'), 'utf8');
const told = new Set([...page.matchAll(/`[^`]+`/g)].flatMap(([code]) => code.match(/\w+/g) ?? []));

test('the page on migration has every function, every filter and every key of the configuration', () => {
  const names = [...Object.keys(FUNCTIONS), ...Object.keys(FILTERS), ...Object.keys(CONFIG_FIELDS), ...Object.keys(TEMPLATE_FIELDS)];

  expect(names.filter((name) => !told.has(name))).toEqual([]);
});
