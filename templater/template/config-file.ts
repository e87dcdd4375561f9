import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { faultLines } from '../../daemon/fault-lines.ts';
import { configFlags } from './config-flags.ts';
import { configSchema, type RawTemplate, templateSchema } from './config-schema.ts';
import { configuredTemplate } from './configured-template.ts';
import { yaml } from './lazy-packages.ts';
import type { TemplateConfig } from './template-config.ts';

/** What configuration files say, and what is wrong with them; with a problem, the rest must not be used. */
export interface Configuration {
  /** Everything that is no template, as flags; those of later files come later, and win. */
  readonly flags: readonly string[];
  readonly templates: readonly TemplateConfig[];
  /** A line each, beginning with the file. */
  readonly problems: readonly string[];
}

/** Reads files, and folders of them in the order of their names. Relative paths in them start in `folder`. */
export function readConfiguration(paths: readonly string[], folder: string): Configuration {
  const parts = paths
    .flatMap((path) => attempt(path, () => filesOf(path)))
    .flatMap((found) => (typeof found === 'string' ? [readOne(found, folder)] : [found]));
  const all = {
    flags: parts.flatMap(({ flags }) => flags),
    templates: parts.flatMap(({ templates }) => templates),
    problems: parts.flatMap(({ problems }) => problems),
  };
  return { ...all, problems: [...all.problems, ...destinationProblems(all.templates)] };
}

/** Files of a folder that are configuration; others in it, and hidden ones, are somebody else's. */
function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => /^[^.].*\.(ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

function readOne(path: string, folder: string): Configuration {
  return attempt(path, () => {
    if (path.endsWith('.hcl')) throw new Error(`is HCL: \`toots templater import ${path}\` prints it as the YAML that is read here`);
    const given: unknown = yaml().parse(readFileSync(path, 'utf8')) ?? {};
    const templates = readableTemplates(given).map(({ raw, at }) => ({ at, template: configuredTemplate(raw, folder) }));
    const contradictions = templates.flatMap(({ template, at }) =>
      typeof template === 'string' ? [`${path}: templates[${at + 1}]: ${template}`] : [],
    );
    const read = v.safeParse(configSchema, given);
    if (!read.success) return [wrong([...faultLines(read.issues).map((fault) => `${path}: ${fault}`), ...contradictions])];
    return [
      {
        flags: configFlags(read.output),
        templates: templates.map(({ template }) => template).filter((template) => typeof template !== 'string'),
        problems: contradictions,
      },
    ];
  })[0] as Configuration;
}

/** Those that can be read, whatever is wrong with the others. */
function readableTemplates(given: unknown): readonly { readonly raw: RawTemplate; readonly at: number }[] {
  const items: unknown = typeof given === 'object' && given !== null && 'templates' in given ? given.templates : [];
  return (Array.isArray(items) ? items : []).flatMap((item: unknown, at) => {
    const read = v.safeParse(templateSchema, item);
    return read.success ? [{ raw: read.output, at }] : [];
  });
}

function attempt<Part>(path: string, read: () => readonly Part[]): readonly (Part | Configuration)[] {
  try {
    return read();
  } catch (error) {
    return [wrong([`${path}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`])];
  }
}

function wrong(problems: readonly string[]): Configuration {
  return { flags: [], templates: [], problems };
}

/** Two templates that write one file would write it for ever. */
export function destinationProblems(templates: readonly TemplateConfig[]): readonly string[] {
  const destinations = templates.map(({ destination }) => destination);
  const twice = new Set(destinations.filter((destination, at) => destinations.indexOf(destination) !== at));
  return [...twice].map((destination) => `${destination}: is the destination of more than one template`);
}

/** The values of `-config` on a command line, before the flags are read. */
export function configPaths(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const given = argv.flatMap((word, at) => {
    const [, , inline] = /^--?(config)(?:=(.*))?$/s.exec(word) ?? [];
    return /^--?config(=|$)/.test(word) ? [inline ?? argv[at + 1] ?? ''] : [];
  });
  const fromEnv = env['TOOTS_TEMPLATER_CONFIG'];
  return given.length > 0 || fromEnv === undefined || fromEnv === '' ? given : [fromEnv];
}
