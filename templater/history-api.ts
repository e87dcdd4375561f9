import type { ApiAnswer } from '../daemon/api.ts';
import type { ProblemBook } from '../daemon/problem-book.ts';
import type { EdgeEngine } from './haproxy/engine.ts';
import type { History } from './haproxy/history.ts';
import { writePin } from './haproxy/pin-file.ts';
import { changeOfEntries, diffLines, type PlanEntries, planOfEntries } from './haproxy/plan-entries.ts';

export interface HistoryApi {
  readonly routes: Readonly<Record<string, (query: URLSearchParams) => Promise<ApiAnswer>>>;
  /** Lets the edge follow Consul again; answers the generation that it was pinned to. */
  readonly unpin: () => Promise<number | undefined>;
}

export interface HistoryApiParts {
  readonly history: History;
  readonly engine: Pick<EdgeEngine, 'pin' | 'status'>;
  readonly pinFile: string;
  /** Those of a pin that could not be read are over with the next word about it. */
  readonly problems: Pick<ProblemBook, 'set'>;
}

/** What the API answers about generations, and how the edge is taken back to one. */
export function createHistoryApi({ history, engine, pinFile, problems }: HistoryApiParts): HistoryApi {
  const pinned = () => engine.status().pinned?.generation ?? null;

  async function one(number: number): Promise<ApiAnswer> {
    const generation = await history.generation(number);
    return generation === undefined ? notKept(number) : { status: 200, body: generation };
  }

  async function all(): Promise<ApiAnswer> {
    const generations = (await history.list()).map(({ said: _, ...generation }) => generation);
    return { status: 200, body: { pinned: pinned(), generations } };
  }

  async function diff(query: URLSearchParams): Promise<ApiAnswer> {
    const [from, to] = [numberIn(query, 'from'), numberIn(query, 'to')];
    const [before, after] = await Promise.all([from, to].map((number) => (number === undefined ? undefined : history.entries(number))));
    if (before === undefined) return notKept(from);
    if (after === undefined) return notKept(to);
    return { status: 200, body: { from, to, diff: diffLines(before, changeOfEntries(before, after)) } };
  }

  async function rollback(query: URLSearchParams): Promise<ApiAnswer> {
    const number = numberIn(query, 'generation');
    const entries: PlanEntries | undefined = number === undefined ? undefined : await history.entries(number);
    if (number === undefined || entries === undefined) return notKept(number);
    const since = new Date().toISOString();
    await writePin(pinFile, { generation: number, since, entries });
    engine.pin({ generation: number, since, plan: planOfEntries(entries) });
    problems.set('pin', []);
    return { status: 200, body: { pinned: number } };
  }

  return {
    routes: {
      'GET /history': (query) => {
        const number = numberIn(query, 'generation');
        return number === undefined ? all() : one(number);
      },
      'GET /diff': diff,
      'POST /rollback': rollback,
    },
    unpin: async () => {
      const before = engine.status().pinned;
      await writePin(pinFile, undefined);
      problems.set('pin', []);
      if (before === undefined) return undefined;
      engine.pin(undefined);
      return before.generation;
    },
  };
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function notKept(number: number | undefined): ApiAnswer {
  return {
    status: 404,
    body: {
      error:
        number === undefined
          ? 'name a generation, such as ?generation=7'
          : `generation ${number} is not kept; toots history lists those that are`,
    },
  };
}
