import { realpathSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type CompiledTemplate, leaves, TemplateError } from './compile.ts';
import type { Reader } from './functions/reader.ts';
import type { Query } from './query.ts';
import type { Seen, Store } from './store.ts';

/** What a rendering came to; `seen` and `missing` together are what the template depends on. */
export type Evaluation = { readonly seen: readonly Seen[]; readonly missing: readonly Missing[] } & (
  | { readonly kind: 'rendered'; readonly text: string }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'failed'; readonly error: TemplateError }
);

/** What a template waits for. */
export interface Missing {
  readonly query: Query;
  /** Undefined when there is no answer yet. */
  readonly why: string | undefined;
}

/** What a rendering may use besides the answers. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths of `file` start; undefined for a template that may read none. */
  readonly folder: string | undefined;
  /** Where every file has to lie. */
  readonly sandboxPath: string | undefined;
  readonly isGivenUp: (query: Query) => boolean;
  readonly limitMs: number;
  readonly now: () => Date;
}

/** Renders once, with what is known; says what was used and what is missing. An error while something is missing is no error yet. */
export function evaluate(template: CompiledTemplate, store: Store, around: Surroundings): Evaluation {
  const used = new Map<string, Query>();
  const missing = new Map<string, Missing>();
  const reader: Reader = {
    read: (query) => {
      used.set(query.id, query);
      const known = store.get(query.id);
      if (known !== undefined) return known.view;
      if (!around.isGivenUp(query)) missing.set(query.id, { query, why: undefined });
      return undefined;
    },
    isGivenUp: around.isGivenUp,
    lacks: (query, why) => {
      if (!missing.has(query.id)) missing.set(query.id, { query, why });
    },
    env: (name) => around.env[name],
    filePath: (name) => readablePath(name, around),
    now: around.now,
  };
  const { result, details } = store.noting(() => tried(() => template.render(reader, around.limitMs)));
  const seen = [...used.values()].map((query) => {
    const known = store.get(query.id);
    return { query, version: known?.version ?? 0, detail: details.has(query.id) ? known?.detail : undefined };
  });
  const needs = { seen, missing: [...missing.values()] };
  if (result instanceof TemplateError && (missing.size === 0 || result.isLimit)) return { kind: 'failed', error: result, ...needs };
  if (missing.size > 0 || typeof result !== 'string') return { kind: 'waiting', ...needs };
  return { kind: 'rendered', text: result, ...needs };
}

function tried(render: () => string): string | TemplateError {
  try {
    return render();
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
}

function readablePath(name: string, { folder, sandboxPath }: Surroundings): string {
  if (folder === undefined) throw new Error(`file: ${name}: a template that does not come from disk reads no file`);
  const path = isAbsolute(name) ? name : join(folder, name);
  if (!isAbsolute(name) && (leaves(folder, path) || leaves(realPath(folder), realPath(path))))
    throw new Error(`file: ${name} is outside of the template's folder ${folder}`);
  if (sandboxPath !== undefined && leaves(realPath(sandboxPath), realPath(path))) {
    throw new Error(`file: ${name} is outside of sandbox ${sandboxPath}`);
  }
  return path;
}

/** Where links lead to; the path itself when there is nothing. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
