import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { configSchema } from '../../../templater/template/config-schema.ts';
import { FILTERS } from '../../../templater/template/filters/table.ts';
import { FUNCTIONS } from '../../../templater/template/functions/table.ts';
import { PROJECT_FOLDER } from '../../harness/program.ts';

const page = readFileSync(join(PROJECT_FOLDER, 'docs/migrate-from-consul-template.md'), 'utf8');
const told = new Set([...page.matchAll(/`[^`]+`/g)].flatMap(([code]) => code.match(/\w+/g) ?? []));

test('the page on migration has every function, every filter and every key of the configuration', () => {
  const template = configSchema.shape.templates.unwrap().element.shape;
  const names = [...Object.keys(FUNCTIONS), ...Object.keys(FILTERS), ...Object.keys(configSchema.shape), ...Object.keys(template)];

  expect(names.filter((name) => !told.has(name))).toEqual([]);
});
