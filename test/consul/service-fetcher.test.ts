import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { QueryState } from '../../consul/blocking-query.ts';
import { createServiceFetcher, type ServiceFetcher } from '../../consul/service-fetcher.ts';
import type { ConsulAnswer, ConsulTransport } from '../../consul/transport.ts';

/** Requests that wait for the test to answer them. */
interface Asked {
  readonly name: string;
  readonly answer: (index: number, status?: number) => Promise<void>;
}

let end: AbortController;
let asked: Asked[];
let heard: (readonly [string, number])[];
let states: (readonly [string, QueryState['kind']])[];
let fetcher: ServiceFetcher;

beforeEach(() => {
  end = new AbortController();
  [asked, heard, states] = [[], [], []];
  fetcher = createServiceFetcher(
    {
      transport,
      hear: (name, { index }) => heard.push([name, index]),
      observe: (name, { kind }) => states.push([name, kind]),
    },
    end.signal,
  );
});
afterEach(() => end.abort());

const transport: ConsulTransport = {
  subject: 'a test',
  send: ({ path }) =>
    new Promise<ConsulAnswer>((resolve) => {
      const answer = async (index: number, status = 200) => {
        resolve({ status, headers: { 'x-consul-index': String(index) }, body: Buffer.from('[]') });
        await new Promise(setImmediate);
      };
      asked.push({ name: path.replace('/v1/health/service/', ''), answer });
    }),
};

function names(): readonly string[] {
  return asked.map(({ name }) => name);
}

test('asks for what is kept, and hears its answer', async () => {
  fetcher.keep(new Set(['web']));

  fetcher.fetch(['web', 'unknown']);
  await asked[0]?.answer(7);

  expect(names()).toEqual(['web']);
  expect(heard).toEqual([['web', 7]]);
});

test('what is on its way is asked for once more, after it: it may be older than what is wanted', async () => {
  fetcher.keep(new Set(['web']));

  fetcher.fetch(['web']);
  fetcher.fetch(['web']);
  fetcher.fetch(['web']);
  expect(names()).toEqual(['web']);
  await asked[0]?.answer(7);
  await asked[1]?.answer(8);

  expect(names()).toEqual(['web', 'web']);
  expect(heard).toEqual([
    ['web', 7],
    ['web', 8],
  ]);
});

test('asks for sixteen at once, and for the rest as they are answered', async () => {
  const all = Array.from({ length: 40 }, (_, n) => `s${n}`);
  fetcher.keep(new Set(all));

  fetcher.fetch(all);
  expect(names()).toEqual(all.slice(0, 16));

  for (let n = 0; n < 40; n++) await asked[n]?.answer(n + 1);
  expect(heard.map(([name]) => name)).toEqual(all);
});

test('a service that is kept no more is not heard, nor asked for again', async () => {
  fetcher.keep(new Set(['web']));
  fetcher.fetch(['web']);
  fetcher.fetch(['web']);

  fetcher.keep(new Set());
  await asked[0]?.answer(7);

  expect(heard).toEqual([]);
  expect(names()).toEqual(['web']);
});

test('a failed one is told, tried at once by hurry, and told again when it is well', async () => {
  fetcher.keep(new Set(['web', 'api']));
  fetcher.fetch(['web', 'api']);
  await asked[0]?.answer(7, 500);
  await asked[1]?.answer(7);

  fetcher.hurry();
  await asked[2]?.answer(8);

  expect(names()).toEqual(['web', 'api', 'web']);
  expect(states).toEqual([
    ['web', 'failing'],
    ['web', 'ok'],
  ]);
});

test('a failed one is tried again by itself', async () => {
  fetcher.keep(new Set(['web']));
  fetcher.fetch(['web']);
  await asked[0]?.answer(7, 500);

  for (let n = 0; n < 200 && asked.length < 2; n++) await new Promise((resolve) => setTimeout(resolve, 10));

  expect(names()).toEqual(['web', 'web']);
});

test('knows which answers are newer than an index, or still to come', async () => {
  fetcher.keep(new Set(['old', 'new', 'coming']));
  fetcher.fetch(['old', 'new', 'coming']);
  await asked[0]?.answer(5);
  await asked[1]?.answer(6);

  expect([...fetcher.newerThan(5)].sort()).toEqual(['coming', 'new']);
});

test('what is asked for anew is not heard from a request that was on its way', async () => {
  fetcher.keep(new Set(['web']));
  fetcher.fetch(['web']);

  fetcher.fetchAnew(['web']);
  await asked[0]?.answer(900);
  await asked[1]?.answer(3);

  expect(heard).toEqual([['web', 3]]);
});
