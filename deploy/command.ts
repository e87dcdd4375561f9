import { type Option, type Program, readSettings, type SettingsOf } from '../daemon/settings.ts';
import { VERSION } from '../daemon/version.ts';

type Options = Readonly<Record<string, Option>>;

/** One command of `toots`. */
export interface Command {
  readonly name: string;
  /** What follows the name in the list of commands. */
  readonly usage: string;
  /** A line for the list of commands. */
  readonly about: string;
  /** Answers the exit code. */
  readonly run: (argv: readonly string[]) => Promise<number>;
}

/** A command with options of its own: reads them, answers `-help` and wrong usage itself, and runs `main` with what was given. */
export function command<Of extends Options>(
  program: Omit<Program<Of>, 'name'> & { readonly name: string; readonly line?: string },
  main: (settings: SettingsOf<Of>, positionals: readonly string[]) => Promise<number>,
): Command {
  const { name, usage, about, line } = program;
  const run = async (argv: readonly string[]): Promise<number> => {
    const parsed = readSettings({ ...program, name: `toots ${name}` }, argv, process.env);
    switch (parsed.kind) {
      case 'settings':
        return await main(parsed.settings, parsed.positionals);
      case 'help':
        process.stdout.write(parsed.text);
        return 0;
      case 'version':
        process.stdout.write(`toots ${VERSION}\n`);
        return 0;
      case 'wrong':
        return wrongUsage(parsed.problems, `toots ${name} -help`);
    }
  };
  return { name, usage, about: line ?? about, run };
}

/** Says all that is wrong with a command line, and where the right one is told. */
export function wrongUsage(problems: readonly string[], help: string): number {
  process.stderr.write(problems.map((problem) => `toots: ${problem}\n`).join(''));
  process.stderr.write(`toots: see ${help}\n`);
  return 2;
}
