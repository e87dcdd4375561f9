import { expect, test } from '@jest/globals';
import { type BlockingAnswer, blockingQuery, createRenewal, type QueryState } from '../../consul/blocking-query.ts';
import type { ConsulAnswer, ConsulRequest, ConsulTransport } from '../../consul/transport.ts';
import { until } from '../harness/until.ts';

/** A Consul that gives these answers one after the other, then holds the request until the signal aborts. */
function scripted(...answers: readonly (ConsulAnswer | Error)[]): ConsulTransport & { readonly asked: ConsulRequest[] } {
  const rest = [...answers];
  const asked: ConsulRequest[] = [];
  const send = async (request: ConsulRequest, signal: AbortSignal): Promise<ConsulAnswer> => {
    asked.push(request);
    const next = rest.shift();
    if (next instanceof Error) throw next;
    if (next !== undefined) return next;
    return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  return { subject: 'scripted', asked, send };
}

function answer(index: number | string | undefined, body: unknown, headers: Record<string, string> = {}, status = 200): ConsulAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers: { ...(index !== undefined && { 'x-consul-index': String(index) }), ...headers }, body: Buffer.from(text) };
}

interface Run {
  readonly answers: readonly BlockingAnswer<unknown>[];
  readonly states: readonly QueryState[];
  /** The index each request was asked with. */
  readonly indexes: readonly (string | undefined)[];
  readonly asked: readonly ConsulRequest[];
}

/** Runs the query until it has asked once more than there are answers. */
async function run(answers: readonly (ConsulAnswer | Error)[], parse = (json: unknown): unknown => json): Promise<Run> {
  const end = new AbortController();
  const transport = scripted(...answers);
  const yielded: BlockingAnswer<unknown>[] = [];
  const states: QueryState[] = [];
  const options = { minIntervalMs: () => 0, maxBackoffMs: 1, observe: (state: QueryState) => states.push(state) };
  const lookingUntilHeld = setInterval(() => {
    if (transport.asked.length > answers.length) end.abort();
  }, 1);
  for await (const one of blockingQuery(transport, { path: '/v1/x', parse }, options, end.signal)) yielded.push(one);
  clearInterval(lookingUntilHeld);
  return { answers: yielded, states, indexes: transport.asked.map(({ query }) => query?.['index']), asked: transport.asked };
}

test('yields an answer when the index moved, and asks on from there', async () => {
  const { answers, indexes } = await run([answer(5, ['a']), answer(5, ['a']), answer(7, ['b'])]);

  expect(answers.map(({ body, index }) => [index, body])).toEqual([
    [5, ['a']],
    [7, ['b']],
  ]);
  expect(indexes).toEqual([undefined, '5', '5', '7']);
});

test('a request may take as long as Consul may hold it, and ten seconds', async () => {
  const { asked } = await run([answer(5, [])]);

  const [first, held] = asked;
  expect(first?.timeoutMs).toBe(10_000);
  const waitMs = Number.parseInt(held?.query?.['wait'] ?? '', 10);
  expect(waitMs).toBeGreaterThanOrEqual(54_000);
  expect(waitMs).toBeLessThanOrEqual(60_000);
  expect(held?.timeoutMs).toBe(Math.ceil(waitMs + waitMs / 16) + 10_000);
});

test.each([
  ['an error status', answer(9, 'No cluster leader', {}, 500)],
  ['a refusal', answer(9, 'Permission denied', {}, 403)],
  ['no connection', new Error('connect ECONNREFUSED')],
  ['garbage', answer(9, '<html>')],
  ['an answer without an index', answer(undefined, ['b'])],
  ['an answer with a wild index', answer('many', ['b'])],
  ['a body of another shape', answer(9, 'null')],
])('after %s the next query is asked without an index, and nothing is yielded for it', async (_, broken) => {
  const parse = (json: unknown) => {
    if (!Array.isArray(json)) throw new TypeError('no list');
    return json;
  };

  const { answers, indexes, states } = await run([answer(5, ['a']), broken, answer(5, ['a'])], parse);

  expect(indexes).toEqual([undefined, '5', undefined, '5']);
  expect(answers.map(({ body }) => body)).toEqual([['a'], ['a']]);
  expect(states.map(({ kind }) => kind)).toEqual(['ok', 'failing', 'ok']);
});

test('an index that went back is told, and the next query is asked without one', async () => {
  const { answers, indexes } = await run([answer(500, ['a']), answer(12, []), answer(12, [])]);

  expect(answers.map(({ index, wentBackFrom }) => [index, wentBackFrom])).toEqual([
    [500, undefined],
    [12, 500],
    [12, undefined],
  ]);
  expect(indexes).toEqual([undefined, '500', undefined, '12']);
});

test('an index that went back over a broken answer is told too', async () => {
  const { answers } = await run([answer(500, ['a']), new Error('reset'), answer(12, [])]);

  expect(answers.at(-1)?.wentBackFrom).toBe(500);
});

test('index 0 is no index', async () => {
  const { indexes } = await run([answer(0, []), answer(0, []), answer(3, [])]);

  expect(indexes).toEqual([undefined, undefined, undefined, '3']);
});

test('a key that does not exist is an empty answer', async () => {
  const { answers, states } = await run([answer(5, '', {}, 404)]);

  expect(answers.map(({ body }) => body)).toEqual([null]);
  expect(states.map(({ kind }) => kind)).toEqual(['ok']);
});

test('says whether there was a leader, and whether a token hid something', async () => {
  const { answers } = await run([
    answer(1, []),
    answer(2, [], { 'x-consul-knownleader': 'false', 'x-consul-results-filtered-by-acls': 'true' }),
    answer(3, [], { 'x-consul-knownleader': 'true' }),
  ]);

  expect(answers.map(({ knownLeader, filteredByAcl }) => [knownLeader, filteredByAcl])).toEqual([
    [true, false],
    [false, true],
    [true, false],
  ]);
});

test('counts failures in a row, and since when', async () => {
  const { states } = await run([new Error('one'), new Error('two'), answer(1, []), new Error('three')]);

  expect(states.map((state) => (state.kind === 'ok' ? 'ok' : [state.failures, state.error.message]))).toEqual([
    [1, 'one'],
    [2, 'two'],
    'ok',
    [1, 'three'],
  ]);
  const [one, two] = states;
  expect(two?.since).toBe(one?.since);
});

test('an endpoint that answers at once instead of holding is asked ever less often', async () => {
  const end = new AbortController();
  const same = answer(5, []);
  const transport = scripted(...Array.from({ length: 1_000 }, () => same));

  const asking = blockingQuery(transport, { path: '/v1/x', parse: (json) => json }, { minIntervalMs: () => 0 }, end.signal);
  await asking.next();
  const next = asking.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  end.abort();
  await next;

  expect(transport.asked.length).toBeLessThan(12);
});

test('ends at once when the signal aborts while Consul holds the request', async () => {
  const end = new AbortController();
  const transport = scripted(answer(1, []));
  const asking = blockingQuery(transport, { path: '/v1/x', parse: (json) => json }, {}, end.signal);
  await asking.next();
  const held = asking.next();

  end.abort();

  expect(await held).toEqual({ done: true, value: undefined });
});

test('a request that may have been swallowed is dropped and asked anew, without an index and without a failure', async () => {
  const end = new AbortController();
  const transport = scripted(answer(5, []));
  const renewal = createRenewal();
  const states: QueryState[] = [];
  const options = { minIntervalMs: () => 0, renewal, observe: (state: QueryState) => states.push(state) };
  const asking = blockingQuery(transport, { path: '/v1/x', parse: (json) => json }, options, end.signal);
  renewal.renew();
  await asking.next();
  const held = asking.next();
  await until(() => transport.asked.length === 2, 1_000, 'it is held');

  renewal.renew();
  await until(() => transport.asked.length === 3, 1_000, 'it is asked anew');
  end.abort();

  await held;
  expect(transport.asked.map(({ query }) => query?.['index'])).toEqual([undefined, '5', undefined]);
  expect(states.map(({ kind }) => kind)).toEqual(['ok']);
});
