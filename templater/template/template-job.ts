import { dirname } from 'node:path';
import { type CompiledTemplate, compileTemplate, TemplateError } from './compile.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import type { Query } from './query.ts';
import { isStillSeen, type Seen, type Store } from './store.ts';
import { type TemplateConfig, templateName } from './template-config.ts';

/** What rendering needs of the program. */
export interface RenderSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limitMs: number;
  readonly isGivenUp: (query: Query) => boolean;
}

export type Outcome = { readonly kind: 'nothing' } | { readonly kind: 'evaluated'; readonly evaluation: Evaluation };

/** A template over time: its source, what it depends on, and what it came to last. */
export interface TemplateJob {
  readonly config: TemplateConfig;
  readonly name: string;
  /** Renders if it has to: its source or something that it saw changed, and all that it waits for has answered. */
  readonly round: (store: Store, settings: RenderSettings, now: number) => Outcome;
  /** All that has to be followed for it. */
  readonly queries: () => readonly Query[];
  readonly last: () => Evaluation | undefined;
  /** When it wants its next round though nothing changes, milliseconds since the epoch. */
  readonly wakeAt: () => number | undefined;
}

/** How long a template that ran out of time or memory is left alone, unless its source changes, milliseconds. */
const REST_AFTER_LIMIT_MS = 30_000;

export function createTemplateJob(config: TemplateConfig): TemplateJob {
  const name = templateName(config);
  const source = sourceQuery(config);
  let compiled: { readonly template: CompiledTemplate | TemplateError; readonly version: number } | undefined;
  let included: Seen[] = [];
  let last: Evaluation | undefined;
  /** How many of the missing are known to have answered. */
  let answered = 0;
  let notBefore = 0;
  let quiet = createQuietTime(config.wait);

  /** The template, compiled anew when its source or an included file differs; undefined while the source is unknown. */
  function current(store: Store): CompiledTemplate | TemplateError | undefined {
    const known =
      source === undefined ? { view: config.source.kind === 'contents' ? config.source.text : '', version: 0 } : store.get(source.id);
    if (known === undefined) return undefined;
    included = included.map((seen) => (seen.version === 0 ? { ...seen, version: store.get(seen.query.id)?.version ?? 0 } : seen));
    if (compiled?.version === known.version && included.every((seen) => isStillSeen(store, seen))) return compiled.template;
    included = [];
    last = undefined;
    notBefore = 0;
    quiet = createQuietTime(config.wait);
    compiled = { template: compiledFrom(config, name, known.view), version: known.version };
    return compiled.template;
  }

  /** What has answered once is known from then on, so that what was found to be there is not looked at again. */
  function isWaiting({ missing }: Evaluation, store: Store, settings: RenderSettings): boolean {
    for (; answered < missing.length; answered++) {
      const one = missing[answered];
      if (one?.why === undefined && one !== undefined && store.get(one.query.id) === undefined && !settings.isGivenUp(one.query))
        return true;
    }
    return false;
  }

  function isDue(store: Store, settings: RenderSettings, now: number): boolean {
    if (last === undefined) return true;
    if (isWaiting(last, store, settings) || now < notBefore) return false;
    const isAffected = last.missing.some(({ why }) => why === undefined) || !last.seen.every((seen) => isStillSeen(store, seen));
    return (
      isAffected &&
      (last.kind !== 'rendered' ||
        quiet.isOver(
          last.seen.map(({ query }) => store.get(query.id)?.detail ?? 0),
          now,
        ))
    );
  }

  return {
    config,
    name,
    last: () => last,
    round: (store, settings, now) => {
      const template = current(store);
      if (template === undefined || !isDue(store, settings, now)) return { kind: 'nothing' };
      quiet.reset();
      answered = 0;
      if (template instanceof TemplateError) {
        last = { kind: 'failed', error: template, seen: [], missing: [] };
        return { kind: 'evaluated', evaluation: last };
      }
      last = evaluate(template, store, {
        ...settings,
        folder: folderOf(config),
        sandboxPath: config.sandboxPath,
        now: () => new Date(now),
      });
      if (last.kind === 'failed' && last.error.isLimit) notBefore = now + REST_AFTER_LIMIT_MS;
      const known = new Set(included.map(({ query }) => query.id));
      for (const query of template.included().map(fileQuery))
        if (!known.has(query.id)) included.push({ query, version: 0, detail: undefined });
      return { kind: 'evaluated', evaluation: last };
    },
    queries: () => [
      ...(source === undefined ? [] : [source]),
      ...included.map(({ query }) => query),
      ...(last === undefined ? [] : [...last.seen, ...last.missing].map(({ query }) => query)),
    ],
    wakeAt: () => (notBefore > 0 ? notBefore : quiet.endsAt()),
  };
}

function compiledFrom(config: TemplateConfig, name: string, text: unknown): CompiledTemplate | TemplateError {
  const { trimBlocks, lstripBlocks, errorOnMissingKey } = config;
  try {
    if (typeof text !== 'string') throw new TemplateError(`${name}: there is no such template, or it cannot be read`, { cause: undefined });
    return compileTemplate({ name, text, folder: folderOf(config), trimBlocks, lstripBlocks, errorOnMissingKey });
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
}

function folderOf({ source }: TemplateConfig): string | undefined {
  return source.kind === 'file' ? dirname(source.path) : source.kind === 'contents' ? source.folder : undefined;
}

function sourceQuery({ source }: TemplateConfig): Query | undefined {
  if (source.kind === 'file') return fileQuery(source.path);
  if (source.kind === 'contents') return undefined;
  return {
    id: `template ${source.path}`,
    source: { kind: 'key', path: source.path, dc: '' },
    view: (answer) => (answer as { value?: string } | undefined)?.value,
  };
}

function fileQuery(path: string): Query {
  return { id: `file ${path}`, source: { kind: 'file', path }, view: (answer) => answer };
}

/** consul-template's quiescence: rendered when nothing changed for a while, but not later than the most after the first change. */
function createQuietTime(wait: TemplateConfig['wait']) {
  let first: number | undefined;
  let latest = 0;
  let stamp = '';
  return {
    isOver: (details: readonly number[], now: number): boolean => {
      if (wait === undefined) return true;
      first ??= now;
      if (details.join() !== stamp) latest = now;
      stamp = details.join();
      return now >= Math.min(first + wait.maxMs, latest + wait.minMs);
    },
    endsAt: () => (wait === undefined || first === undefined ? undefined : Math.min(first + wait.maxMs, latest + wait.minMs)),
    reset: () => {
      first = undefined;
    },
  };
}
