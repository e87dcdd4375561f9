import { didYouMean } from '../daemon/did-you-mean.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { VERSION } from '../daemon/version.ts';
import { backupCommand, restoreCommand } from './cluster/backup-commands.ts';
import { doctorCommand } from './cluster/doctor-command.ts';
import { imagesCommand } from './cluster/images-command.ts';
import { configCommand, logsCommand, restartCommand } from './cluster/node-commands.ts';
import { secretsCommand } from './cluster/secrets-command.ts';
import { upCommand } from './cluster/up-command.ts';
import { upgradeCommand } from './cluster/upgrade-command.ts';
import { type Command, wrongUsage } from './command.ts';
import { demoCommand, demoSupervisorCommand } from './demo/demo-command.ts';
import { downCommand } from './demo/down-command.ts';
import { statusCommand } from './demo/status-command.ts';
import { diffCommand } from './edge/diff-command.ts';
import { explainCommand } from './edge/explain-command.ts';
import { historyCommand } from './edge/history-command.ts';
import { releaseCommand } from './edge/release-command.ts';
import { rollbackCommand } from './edge/rollback-command.ts';
import { weightCommand } from './edge/weight-command.ts';
import { commandNames, helpText } from './help.ts';
import { marathonCommand } from './marathon/marathon-command.ts';
import { testCommand } from './tests/test-command.ts';
import { writeDocsCommand } from './write-docs-command.ts';

/** In the order of the help text. */
const COMMANDS: readonly Command[] = [
  upCommand,
  secretsCommand,
  imagesCommand,
  configCommand,
  doctorCommand,
  statusCommand,
  logsCommand,
  restartCommand,
  upgradeCommand,
  backupCommand,
  restoreCommand,
  downCommand,
  demoCommand,
  explainCommand,
  weightCommand,
  historyCommand,
  diffCommand,
  rollbackCommand,
  releaseCommand,
  marathonCommand,
  testCommand,
];
/** Not for operators: what our own programs and scripts start. */
const INTERNAL: readonly Command[] = [demoSupervisorCommand, writeDocsCommand];

async function toots(argv: readonly string[]): Promise<number> {
  const [word, ...rest] = argv;
  if (word === undefined) return await upCommand.run(['-ask']);
  if (/^(help|-h|--?help)$/.test(word)) {
    process.stdout.write(helpText(COMMANDS));
    return 0;
  }
  if (/^(--?version)$/.test(word)) {
    process.stdout.write(`toots ${VERSION}\n`);
    return 0;
  }
  if (word.startsWith('-')) return await upCommand.run(argv); // the role questions' flags alone
  const found = [...COMMANDS, ...INTERNAL].find(({ name }) => name === word);
  if (found === undefined) return wrongUsage([`unknown command ${word}${didYouMean(word, commandNames(COMMANDS), '')}`], 'toots help');
  return await found.run(rest);
}

void start();

async function start(): Promise<void> {
  try {
    process.exitCode = await toots(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    process.stderr.write(`toots: ${error.message}\n`);
    process.exitCode = 1;
  }
}
