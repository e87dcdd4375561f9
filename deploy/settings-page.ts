import { join } from 'node:path';
import { execa } from 'execa';
import { PROJECT_FOLDER } from './project.ts';

/** A command and the help that it gives. */
export interface CommandHelp {
  readonly name: string;
  readonly text: string;
}

/** What docs/settings.md describes, in this order. */
const DOCUMENTED = [
  'registrator',
  'templater',
  'up',
  'secrets',
  'images',
  'config',
  'doctor',
  'status',
  'logs',
  'restart',
  'upgrade',
  'backup',
  'restore',
  'down',
  'demo',
  'marathon',
  'test',
] as const;

/** The help of each, as `./toots.sh NAME -help` gives it, whatever the environment of the moment. */
export async function readHelps(): Promise<readonly CommandHelp[]> {
  const env = { PATH: process.env['PATH'] };
  return await Promise.all(
    DOCUMENTED.map(async (name) => {
      const { stdout } = await execa(join(PROJECT_FOLDER, 'toots.sh'), [name, '-help'], { env, extendEnv: false, stdin: 'ignore' });
      return { name, text: stdout };
    }),
  );
}

/** The text of docs/settings.md. Pure. */
export function settingsPage(helps: readonly CommandHelp[]): string {
  const sections = helps.map(({ name, text }) => `## toots ${name}\n\n\`\`\`text\n${text.trim()}\n\`\`\`\n`);
  return `# Settings

Every option of every command. Written by \`npm run docs\` from the programs themselves; a test fails when it is stale.

A flag is written with one dash or two, its value after \`=\` or as the next word. A flag beats the environment variable in brackets, that
beats the default. Durations are such as \`500ms\`, \`10s\`, \`2m30s\`. Whatever is wrong is told at once, with exit code 2.

${sections.join('\n')}`;
}
