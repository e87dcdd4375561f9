import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import nunjucks from 'nunjucks';
import { didYouMean } from '../../daemon/did-you-mean.ts';
import { isBrief } from './brief.ts';
import { FILTERS } from './filters/table.ts';
import type { Reader } from './functions/reader.ts';
import { FUNCTIONS } from './functions/table.ts';
import { MemoryLimitError, withinMemory } from './memory-limit.ts';
import { closeParser } from './plain-names.ts';
import { closeEnvironment, closeRuntime, type TemplateEnvironment, type TemplateRuntime } from './sandbox.ts';
import type { TemplateParser } from './template-tree.ts';
import { TimeLimitError, withinTime } from './time-limit.ts';

// The only file of the engine that knows Nunjucks.
const { runtime, parser } = nunjucks as unknown as { readonly runtime: TemplateRuntime; readonly parser: TemplateParser };
closeRuntime(runtime);
closeParser(parser);

/** A template's text, and what it may reach. */
export interface TemplateText {
  /** Its path or its key, for messages. */
  readonly name: string;
  readonly text: string;
  /** Where what it includes lies; undefined when it may include nothing. */
  readonly folder: string | undefined;
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
  /** A value that is not there is an error, instead of nothing. */
  readonly errorOnMissingKey: boolean;
}

export interface CompiledTemplate {
  /** @throws TemplateError when the template is wrong or takes longer than `limitMs`. */
  readonly render: (reader: Reader, limitMs: number) => string;
  /** Files that it has included so far. */
  readonly included: () => readonly string[];
}

/** The template is wrong; says where, and what would be right. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  /** It ran out of time or memory. */
  readonly isLimit: boolean;
  constructor(message: string, options: { readonly cause: unknown }) {
    super(message, options);
    this.isLimit = options.cause instanceof TimeLimitError || options.cause instanceof MemoryLimitError;
  }
}

/** @throws TemplateError when it cannot be parsed. */
export function compileTemplate({ name, text, folder, trimBlocks, lstripBlocks, errorOnMissingKey }: TemplateText): CompiledTemplate {
  const included = new Set<string>();
  const options = { autoescape: false, throwOnUndefined: errorOnMissingKey, trimBlocks, lstripBlocks };
  const environment = new nunjucks.Environment(folderLoader(folder, included), options);
  let current: Reader | undefined;
  for (const [filterName, filter] of Object.entries(FILTERS)) environment.addFilter(filterName, filter);
  closeEnvironment(environment as unknown as TemplateEnvironment);
  for (const [functionName, call] of Object.entries(FUNCTIONS)) {
    environment.addGlobal(functionName, (...args: unknown[]) => {
      if (current === undefined) throw new Error(`${functionName}: called outside of a rendering`);
      return call(current, ...args);
    });
  }
  const template = told(name, () => new nunjucks.Template(text, environment, name, true), GO_TEMPLATE.test(text) ? GO_ADVICE : '');
  const run = isBrief(parser.parse(text, [], { trimBlocks, lstripBlocks })) ? atOnce : withinTime;
  return {
    included: () => [...included],
    render: (reader, limitMs) => {
      current = reader;
      try {
        return told(name, () => withinMemory(() => run(limitMs, () => template.render({}))));
      } finally {
        current = undefined;
      }
    },
  };
}

/** A time limit costs a thread, which on a busy machine is a millisecond. */
function atOnce<Result>(_limitMs: number, run: () => Result): Result {
  return run();
}

/** Includes, imports and extends: names below the folder, whatever links say. */
function folderLoader(folder: string | undefined, included: Set<string>): nunjucks.ILoader {
  return {
    getSource: (name: string) => {
      if (folder === undefined) throw new Error(`${name}: this template may include nothing, it has no folder`);
      const path = join(folder, name);
      included.add(path);
      if (leaves(folder, path)) throw new Error(`${name} is outside of ${folder}`);
      // For `{% include … ignore missing %}`; without it, Nunjucks says that there is none.
      if (!existsSync(path)) return null as unknown as nunjucks.LoaderSource;
      const real = realpathSync(path);
      if (leaves(realpathSync(folder), real)) throw new Error(`${name} is outside of ${folder}`);
      return { src: readFileSync(real, 'utf8'), path: name, noCache: false };
    },
  };
}

/** Whether a path is not below a folder. */
export function leaves(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || way === '..' || way.startsWith('../') || way.startsWith('/');
}

/** What a Go template has and Nunjucks has not. */
const GO_TEMPLATE = /\{\{-?\s*(?:\.\w|(?:range|end|with|define|template|if|else)\b(?![([])|(?!not\b)\w+ +")/;
const GO_ADVICE = ' (this looks like a Go template: write it in Nunjucks, see docs/migrate-from-consul-template.md)';

function told<Result>(name: string, run: () => Result, advice = ''): Result {
  try {
    return run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new TemplateError(`${readable(name, message)}${advice}`, { cause: error });
  }
}

/** Nunjucks' message on one line, with advice where it has none. */
function readable(name: string, message: string): string {
  const line = message.replace(/^(?:Template render error: )+/, '').replace(/\s*\n\s*(?:Template render error: )?/g, ' ');
  const unknown = /Unable to call `([\w.]+)`/.exec(line)?.[1] ?? /filter not found: (\w+)/.exec(line)?.[1];
  const advice =
    unknown === undefined
      ? ''
      : unknown.startsWith('sprig_')
        ? ' (sprig is not here: Nunjucks has filters for most of it)'
        : didYouMean(unknown, [...Object.keys(FUNCTIONS), ...Object.keys(FILTERS)], '');
  return `${line.startsWith(`(${name})`) ? '' : `(${name}) `}${line}${advice}`;
}
