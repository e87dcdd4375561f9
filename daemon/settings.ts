import { z } from 'zod';
import { LOG_LEVELS, type LogLevel } from './log.ts';
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
  readonly schema: z.ZodType<Value>;
  /** A sentence for the help text and for docs/settings.md; says the unit, and the default in words where it is not a plain value. */
  readonly describe: string;
}

type Options = Readonly<Record<string, Option>>;

/** The values of a program's options, by their names in the program. */
export type SettingsOf<Of extends Options> = { readonly [Name in keyof Of]: Of[Name] extends Option<infer Value> ? Value : never };

/** A command line that can be parsed: what it is called, what it takes, what it says of itself. */
export interface Program<Of extends Options> {
  readonly name: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly about: string;
  readonly options: Of;
  /** Names of the arguments that are no flags, for counting and for messages. */
  readonly positionals?: { readonly least: number; readonly most: number };
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
  const { given, positionals, problems, asked } = splitArguments(program.options, argv);
  if (asked === 'help') return { kind: 'help', text: helpText(program) };
  if (asked === 'version') return { kind: 'version' };
  const { least, most } = program.positionals ?? { least: 0, most: 0 };
  if (positionals.length > most) problems.push(`unexpected argument ${quoted(positionals[most] ?? '')}`);
  if (positionals.length < least) problems.push(`an argument is missing: ${program.name} ${program.usage}`);
  const settings: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(program.options)) {
    const { raw, from } = rawValue(option, given.get(option.flag), env);
    const parsed = option.schema.safeParse(raw);
    if (parsed.success) settings[name] = parsed.data;
    else problems.push(`${from}: ${refusal(option, raw, parsed.error)}`);
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
function splitArguments(options: Options, argv: readonly string[]): Arguments {
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
      if (flag === 'version' && option === undefined) return { given, positionals, problems, asked: 'version' };
      if (option === undefined) {
        problems.push(`unknown option -${flag}${didYouMean(flag, [...byFlag.keys()])}`);
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

function refusal(option: Option, raw: unknown, error: z.ZodError): string {
  const wanted = error.issues.map(({ message }) => message).join('; ');
  return option.secret || raw === undefined ? wanted : `${wanted}, got ${quoted(String(raw))}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

/** ` (did you mean -x?)` when a known word is near, else nothing. */
export function didYouMean(word: string, known: readonly string[], dash = '-'): string {
  const near = known.map((candidate) => ({ candidate, far: distance(word, candidate) })).sort((a, b) => a.far - b.far)[0];
  return near !== undefined && near.far <= Math.max(1, Math.floor(word.length / 3)) ? ` (did you mean ${dash}${near.candidate}?)` : '';
}

/** How many letters have to be changed, added, taken away or swapped with their neighbour (Damerau-Levenshtein). */
function distance(a: string, b: string): number {
  let [above, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (above[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(change, swap, (next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    [above, row] = [row, next];
  }
  return row[b.length] ?? 0;
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
function shownDefault(schema: z.ZodType): string {
  const written = schema.meta()?.['default'];
  if (typeof written === 'string') return written;
  const parsed = schema.safeParse(undefined);
  const value = parsed.success && parsed.data !== false ? parsed.data : '';
  return typeof value === 'object' || value === undefined ? '' : String(value);
}

// ---- schemas of single values, with messages that say what would be right

/** A switch: given alone, or as `=true`, `=false`, `=1`, `=0`. */
export const flag = () =>
  z
    .union([z.boolean(), z.string()])
    .optional()
    .transform((value, context) => {
      if (value === undefined || typeof value === 'boolean') return value ?? false;
      if (/^(1|t|true|yes|on)$/i.test(value)) return true;
      if (/^(0|f|false|no|off)$/i.test(value)) return false;
      context.addIssue({ code: 'custom', message: 'must be true or false' });
      return z.NEVER;
    });

/** A whole number of a range. */
export const wholeNumber = (least: number, most: number, fallback: number) =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      if (value === undefined) return fallback;
      const number = Number(value);
      if (/^[+-]?\d+$/.test(value) && number >= least && number <= most) return number;
      context.addIssue({ code: 'custom', message: `must be a whole number from ${least} to ${most}` });
      return z.NEVER;
    });

/** One of a few words. */
export const oneOf = <const Words extends readonly string[]>(words: Words, fallback: Words[number]) =>
  z
    .string()
    .optional()
    .transform((value, context): Words[number] => {
      const found = value === undefined ? fallback : words.find((word) => word === value);
      if (found !== undefined) return found;
      context.addIssue({ code: 'custom', message: `must be one of ${words.join(', ')}` });
      return z.NEVER;
    });

/** Any text. */
export const text = (fallback = '') => z.string().optional().default(fallback);

/** Texts, given any number of times. */
export const texts = () => z.array(z.string()).optional().default([]);

const UNITS_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A Go duration (`1.5s`, `2m30s`, `0`) in milliseconds; undefined for anything else. */
export function durationMs(value: string): number | undefined {
  if (value === '0') return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value)) return undefined;
  return [...value.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (UNITS_MS[unit] ?? 0),
    0,
  );
}

/** A Go duration, as milliseconds. */
export const duration = (fallback: string) =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      const ms = durationMs(value ?? fallback);
      if (ms !== undefined) return ms;
      context.addIssue({ code: 'custom', message: 'must be a duration such as 500ms, 10s or 2m30s' });
      return z.NEVER;
    })
    .meta({ default: fallback });

/** `ADDR:PORT`, `[ADDR]:PORT` or `:PORT`. */
export const addressAndPort = (fallback: string) =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(value ?? fallback);
      const port = Number(match?.[3]);
      if (match !== null && port <= 65_535) return { address: match[1] ?? match[2] ?? '', port };
      context.addIssue({ code: 'custom', message: 'must be ADDRESS:PORT' });
      return z.NEVER;
    })
    .meta({ default: fallback });

/** The level of a program's log, as both services take it. */
export const logLevel = {
  flag: 'log-level',
  env: ['TOOTS_LOG_LEVEL'],
  value: 'LEVEL',
  schema: z
    .string()
    .optional()
    .transform((value, context): LogLevel => {
      const word = value ?? 'info';
      const level = LOG_LEVELS.find((known) => known === (LEVEL_NAMES[word] ?? word));
      if (level !== undefined) return level;
      context.addIssue({ code: 'custom', message: `must be one of ${LOG_LEVELS.join(', ')}` });
      return z.NEVER;
    }),
  describe: 'What is logged, from fatal (least) to trace',
} satisfies Option;

/** consul-template's words for them. */
const LEVEL_NAMES: Readonly<Record<string, LogLevel>> = { err: 'error', warning: 'warn' };

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
