import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readHelps, settingsPage } from '../../deploy/settings-page.ts';
import { PROJECT_FOLDER } from '../harness/program.ts';

test('docs/settings.md is what the programs say; `npm run docs` writes it anew', async () => {
  const page = await readFile(join(PROJECT_FOLDER, 'docs/settings.md'), 'utf8');

  expect(settingsPage(await readHelps())).toBe(page);
}, 60_000);
