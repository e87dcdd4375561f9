import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { PROJECT_FOLDER } from './project.ts';
import { readHelps, settingsPage } from './settings-page.ts';
import { tagsPage } from './tags-page.ts';

/** Writes the pages of docs/ that are made of the programs. */
export const writeDocsCommand = command(
  {
    name: 'write-docs',
    usage: '',
    about: 'Writes docs/settings.md from the help of every command, and docs/tags.md from the table of options.',
    options: {},
  },
  async () => {
    await writeFile(join(PROJECT_FOLDER, 'docs/settings.md'), settingsPage(await readHelps()));
    await writeFile(join(PROJECT_FOLDER, 'docs/tags.md'), tagsPage());
    return 0;
  },
);
