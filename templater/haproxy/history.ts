import { appendFile, readFile } from 'node:fs/promises';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import type { EdgePlan } from '../../model/edge.ts';
import type { Said } from './apply-actions.ts';
import { replaceFile, SECRET_FILE_MODE } from './config-files.ts';
import { changeOfEntries, changeOfPlan, diffLines, type EntriesChange, type PlanEntries, withChange } from './plan-entries.ts';

/** What a round made of the edge. */
export interface Generation {
  /** Counted from 1, on over restarts. */
  readonly number: number;
  /** ISO 8601. */
  readonly at: string;
  /** What caused it. */
  readonly why: readonly string[];
  readonly did: string;
  /** Why HAProxy was reloaded; empty when it was not. */
  readonly reasons: readonly string[];
  /** What HAProxy was told and answered, the first {@link KEPT_COMMANDS}. */
  readonly said: readonly Said[];
  readonly commands: number;
}

/** One generation with what it changed. */
export interface ToldGeneration extends Generation {
  readonly diff: readonly string[];
}

/** What the edge was, generation by generation, on disk. */
export interface History {
  /** Adds what a round made. Writes behind; a disk that is full loses history and nothing else. */
  readonly add: (generation: Omit<Generation, 'number'>, plan: EdgePlan) => void;
  /** Oldest first. */
  readonly list: () => Promise<readonly Generation[]>;
  /** Undefined when it is not kept. */
  readonly generation: (number: number) => Promise<ToldGeneration | undefined>;
  /** What the edge was then; undefined when it is not kept. */
  readonly entries: (number: number) => Promise<PlanEntries | undefined>;
  /** Resolves when all is written. */
  readonly flush: () => Promise<void>;
}

const KEPT_COMMANDS = 50;
const KEPT_ANSWER_CHARACTERS = 200;
/** When the file holds more than this, the older half of its generations becomes one. */
const MOST_GENERATIONS = 500;
const MOST_BYTES = 8_000_000;

/** A line of the file: what came before all that is kept, then a generation each. */
type Line = ({ readonly kind: 'base' } & EntriesChange) | ({ readonly kind: 'generation'; readonly change: EntriesChange } & Generation);

export function createHistory(path: string, failed: (error: unknown) => void): History {
  let written: Promise<unknown> = Promise.resolve();
  let last: { readonly plan: EdgePlan; readonly number: number } | undefined;
  let [bytes, count] = [0, 0];

  async function append(told: Omit<Generation, 'number'>, plan: EdgePlan): Promise<void> {
    const text = last === undefined ? await readText(path) : undefined;
    const first = text === undefined ? undefined : linesOf(text);
    const change =
      first === undefined
        ? changeOfPlan(last?.plan, plan)
        : changeOfEntries(entriesAt(first), withChange(new Map(), changeOfPlan(undefined, plan)));
    const number = (last?.number ?? numberOf(first ?? [])) + 1;
    if (first !== undefined) count = first.length;
    last = { plan, number };
    if (change.set.length + change.drop.length === 0 && told.did !== 'started' && told.did !== 'reload') {
      last = { plan, number: number - 1 };
      return;
    }
    const said = told.said
      .slice(0, KEPT_COMMANDS)
      .map(({ command, answer }) => ({ command, answer: answer.slice(0, KEPT_ANSWER_CHARACTERS) }));
    const line: Line = { kind: 'generation', ...told, said, number, change };
    const added = `${isCutOff(text) ? '\n' : ''}${JSON.stringify(line)}\n`;
    await appendFile(path, added, { mode: SECRET_FILE_MODE });
    [bytes, count] = [bytes + added.length, count + 1];
    if (bytes > MOST_BYTES || count > MOST_GENERATIONS) await shorten();
  }

  async function shorten(): Promise<void> {
    const kept = shortened(await readLines(path));
    const text = kept.map((line) => `${JSON.stringify(line)}\n`).join('');
    await replaceFile(path, text, SECRET_FILE_MODE);
    [bytes, count] = [text.length / 2, kept.length]; // a base that is large by itself is not made anew each time
  }

  const read = async () => {
    await written;
    return await readLines(path);
  };
  return {
    add: (told, plan) => {
      written = written
        .then(() => append(told, plan))
        .catch((error: unknown) => {
          last = undefined; // how much of it was written is not known: the next one is compared with what the file holds
          failed(error);
        });
    },
    list: async () => (await read()).flatMap((line) => (line.kind === 'generation' ? [withoutChange(line)] : [])),
    generation: async (number) => {
      const lines = await read();
      const found = lines.find((line) => line.kind === 'generation' && line.number === number);
      if (found?.kind !== 'generation') return undefined;
      return { ...withoutChange(found), diff: diffLines(entriesAt(lines, number - 1), found.change) };
    },
    entries: async (number) => {
      const lines = await read();
      return lines.some((line) => line.kind === 'generation' && line.number === number) ? entriesAt(lines, number) : undefined;
    },
    flush: async () => {
      await written;
    },
  };
}

async function readLines(path: string): Promise<readonly Line[]> {
  return linesOf(await readText(path));
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    if (isSystemError(cause, 'ENOENT')) return '';
    throw new OperationError('read the history', { subject: path, cause });
  });
}

/** Whether a crash or a full disk left the text in the middle of a line; one that was not read ends as it was written. */
function isCutOff(text = ''): boolean {
  return text !== '' && !text.endsWith('\n');
}

/** A line that was cut off, and what is none of ours, is left out. */
function linesOf(text: string): readonly Line[] {
  return text.split('\n').flatMap((line) => {
    try {
      const parsed: unknown = JSON.parse(line);
      return isLine(parsed) ? [parsed] : [];
    } catch {
      return [];
    }
  });
}

function isLine(value: unknown): value is Line {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'base') return isChange(value);
  return value.kind === 'generation' && 'number' in value && Number.isInteger(value.number) && 'change' in value && isChange(value.change);
}

function isChange(value: unknown): value is EntriesChange {
  if (typeof value !== 'object' || value === null || !('set' in value) || !('drop' in value)) return false;
  const isText = (text: unknown) => typeof text === 'string';
  const isEntry = (entry: unknown) => Array.isArray(entry) && entry.length === 2 && entry.every(isText);
  return Array.isArray(value.set) && value.set.every(isEntry) && Array.isArray(value.drop) && value.drop.every(isText);
}

function entriesAt(lines: readonly Line[], number = Number.POSITIVE_INFINITY): PlanEntries {
  let entries: PlanEntries = new Map();
  for (const line of lines) {
    if (line.kind === 'base') entries = withChange(new Map(), line);
    else if (line.number <= number) entries = withChange(entries, line.change);
  }
  return entries;
}

function numberOf(lines: readonly Line[]): number {
  const newest = lines.at(-1);
  return newest?.kind === 'generation' ? newest.number : 0;
}

/** The older half as what it came to. Pure. */
function shortened(lines: readonly Line[]): readonly Line[] {
  const kept = lines.slice(Math.ceil(lines.length / 2));
  const base = entriesAt(lines.slice(0, lines.length - kept.length));
  return [{ kind: 'base', set: [...base], drop: [] }, ...kept];
}

function withoutChange({ kind: _, change: __, ...generation }: Extract<Line, { kind: 'generation' }>): Generation {
  return generation;
}
