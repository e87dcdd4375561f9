import * as v from 'valibot';
import { didYouMean } from './did-you-mean.ts';
import { level } from './values.ts';
import { VERSION } from './version.ts';

/** One setting of a program: its flag, where else it is read from, and what it may be. */
export interface Option<Value = unknown> {
  /** Without dashes; `-flag`, `--flag`, `-flag value` and `-flag=value` are all taken. */
  readonly flag: string;
  /** Other spellings of the flag, without dashes. */
  readonly aliases?: readonly string[];
  /** Environment variables, the first that is set counts. A flag beats them. */
  readonly env?: readonly string[];
  /** What stands for the value in the help text; absent for a switch. */
  readonly value?: string;
  /** May be given several times; the schema gets an array. */
  readonly many?: true;
  /** Never shown, not even when it is refused. */
  readonly secret?: true;
  /** Takes a string, `true`/`false` for a switch, an array with `many`, or undefined when it was not given. */
  readonly schema: v.GenericSchema<unknown, Value>;
  /** A sentence for the help text and for docs/settings.md; says the unit, and the default in words where it is not a plain value. */
  readonly describe: string;
}

type Options = Readonly<Record<string, Option>>;

/** The values of a program's options, by their names in the program. */
export type SettingsOf<Of extends Options> = { readonly [Name in keyof Of]: v.InferOutput<Of[Name]['schema']> };

/** A command line that can be parsed: what it is called, what it takes, what it says of itself. */
export interface Program<Of extends Options> {
  readonly name: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly about: string;
  readonly options: Of;
  /** Names of the arguments that are no flags, for counting and for messages. */
  readonly positionals?: { readonly least: number; readonly most: number };
  /** Why there is no such flag, where people may look for it. */
  readonly whyAbsent?: (flag: string) => string | undefined;
}

export type Parsed<Of extends Options> =
  | { readonly kind: 'settings'; readonly settings: SettingsOf<Of>; readonly positionals: readonly string[] }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

/**
 * Reads a program's settings from its arguments and its environment. Precedence: flag, environment, default.
 * Every problem is reported, not only the first.
 */
export function readSettings<Of extends Options>(
  program: Program<Of>,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Parsed<Of> {
  const { given, positionals, problems, asked } = splitArguments(program, argv);
  if (asked === 'help') return { kind: 'help', text: helpText(program) };
  if (asked === 'version') return { kind: 'version' };
  const { least, most } = program.positionals ?? { least: 0, most: 0 };
  if (positionals.length > most) problems.push(`unexpected argument ${quoted(positionals[most] ?? '')}`);
  if (positionals.length < least) problems.push(`an argument is missing: ${program.name} ${program.usage}`);
  const settings: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(program.options)) {
    const { raw, from } = rawValue(option, given.get(option.flag), env);
    const read = v.safeParse(option.schema, raw);
    if (read.success) settings[name] = read.output;
    else problems.push(`${from}: ${refusal(option, raw, read.issues.map(({ message }) => message).join('; '))}`);
  }
  return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'settings', settings: settings as SettingsOf<Of>, positionals };
}

interface Arguments {
  readonly given: Map<string, (string | boolean)[]>;
  readonly positionals: string[];
  readonly problems: string[];
  readonly asked?: 'help' | 'version';
}

/** As Go's flag package reads them, whose users we serve: one dash or two, the next word is the value, `--` ends them. */
function splitArguments({ options, whyAbsent = () => undefined }: Program<Options>, argv: readonly string[]): Arguments {
  const byFlag = new Map(
    Object.values(options).flatMap((option) => [option.flag, ...(option.aliases ?? [])].map((flag) => [flag, option] as const)),
  );
  const given = new Map<string, (string | boolean)[]>();
  const positionals: string[] = [];
  const problems: string[] = [];
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const match = /^--?([^=-][^=]*)(?:=(.*))?$/s.exec(word);
    if (word === '--') {
      positionals.push(...words.splice(0));
    } else if (match === null) {
      positionals.push(word);
    } else {
      const [, flag = '', inline] = match;
      if (flag === 'help' || flag === 'h') return { given, positionals, problems, asked: 'help' };
      const option = byFlag.get(flag);
      if ((flag === 'version' || flag === 'v') && option === undefined) return { given, positionals, problems, asked: 'version' };
      if (option === undefined) {
        const why = whyAbsent(flag);
        problems.push(why === undefined ? `unknown option -${flag}${didYouMean(flag, [...byFlag.keys()])}` : `-${flag}: ${why}`);
        // Its value would be told as an argument too many.
        if (why !== undefined && inline === undefined && words[0]?.startsWith('-') === false) words.shift();
        continue;
      }
      const value = inline ?? (option.value === undefined ? true : words.shift());
      if (value === undefined) problems.push(`-${flag}: its value ${option.value} is missing`);
      else given.set(option.flag, [...(given.get(option.flag) ?? []), value]);
    }
  }
  return { given, positionals, problems };
}

function rawValue(
  option: Option,
  given: readonly (string | boolean)[] | undefined,
  env: Readonly<Record<string, string | undefined>>,
): { raw: unknown; from: string } {
  if (given !== undefined) return { raw: option.many ? given : given.at(-1), from: `-${option.flag}` };
  const name = option.env?.find((variable) => env[variable] !== undefined && env[variable] !== '');
  if (name === undefined) return { raw: undefined, from: `-${option.flag}` };
  return { raw: option.many ? [env[name]] : env[name], from: name };
}

function refusal(option: Option, raw: unknown, wanted: string): string {
  return option.secret || option.many || raw === undefined ? wanted : `${wanted}, got ${quoted(withoutPassword(String(raw)))}`;
}

/** A URL without what logs in with it. */
function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//…@');
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

/** The text of `--help`. */
export function helpText<Of extends Options>({ name, usage, about, options }: Program<Of>): string {
  const rows = Object.values(options).map(
    (option) => [`  -${option.flag}${option.value === undefined ? '' : ` ${option.value}`}`, describedOption(option)] as const,
  );
  rows.push(['  -help', 'Shows this text'], ['  -version', 'Shows the version']);
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.map(([left, text]) =>
    left.length > width ? `${left}\n${' '.repeat(width)}  ${text}` : `${left.padEnd(width)}  ${text}`,
  );
  return `Usage: ${name} ${usage}\n\n${about}\n\nOptions:\n${lines.join('\n')}\n`;
}

function describedOption({ describe, schema, env }: Option): string {
  const shown = describe.includes('(default ') ? '' : shownDefault(schema);
  return `${describe}${shown === '' ? '' : ` (default ${shown})`}${env === undefined ? '' : ` [${env.join(', ')}]`}`;
}

/** The default as it would be written; nothing for one that is no plain value: the description tells that in words. */
function shownDefault(schema: Option['schema']): string {
  const written: unknown = v.getDefault(schema);
  return typeof written === 'string' || written === true ? String(written) : '';
}

/** The level of a program's log, as both services take it. */
export const logLevel = {
  flag: 'log-level',
  env: ['TOOTS_LOG_LEVEL'],
  value: 'LEVEL',
  schema: level(),
  describe: 'What is logged, from fatal (least) to trace',
} satisfies Option;

/** What a wrong usage is answered: every problem, and where to look. */
export function usageErrors(name: string, problems: readonly string[]): string {
  return `${problems.map((problem) => `${name}: ${problem}`).join('\n')}\nTry ${name} -help.\n`;
}

/**
 * Reads a program's settings from this process's arguments and environment and runs it; answers its exit code:
 * 0 after help or version, 2 after a wrong usage, of which every problem is told on stderr.
 */
export async function startProgram<Of extends Options>(
  program: Program<Of>,
  run: (settings: SettingsOf<Of>, positionals: readonly string[]) => Promise<number>,
): Promise<number> {
  const parsed = readSettings(program, process.argv.slice(2), process.env);
  switch (parsed.kind) {
    case 'help':
      process.stdout.write(parsed.text);
      return 0;
    case 'version':
      process.stdout.write(`${program.name} ${VERSION}\n`);
      return 0;
    case 'wrong':
      process.stderr.write(usageErrors(program.name, parsed.problems));
      return 2;
    default:
      return run(parsed.settings, parsed.positionals);
  }
}
