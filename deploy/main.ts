import { OperationError } from '../daemon/operation-error.ts';
import { didYouMean } from '../daemon/settings.ts';
import { type Command, wrongUsage } from './command.ts';
import { commandNames, helpText } from './help.ts';
import { projectVersion } from './project.ts';
import { testCommand } from './tests/test-command.ts';

const COMMANDS: readonly Command[] = [testCommand];

async function toots(argv: readonly string[]): Promise<number> {
  const [word, ...rest] = argv;
  if (word === undefined || /^(help|-h|--?help)$/.test(word)) {
    process.stdout.write(helpText(COMMANDS));
    return 0;
  }
  if (/^(--?version)$/.test(word)) {
    process.stdout.write(`toots ${projectVersion()}\n`);
    return 0;
  }
  const found = COMMANDS.find(({ name }) => name === word);
  if (found === undefined) return wrongUsage([`unknown command ${word}${didYouMean(word, commandNames(COMMANDS), '')}`], 'toots help');
  return await found.run(rest);
}

try {
  process.exitCode = await toots(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof OperationError)) throw error;
  process.stderr.write(`toots: ${error.message}\n`);
  process.exitCode = 1;
}
