import { blockingQuery, type QueryState, type Renewal } from '../../../consul/blocking-query.ts';
import { ConsulRefusal, jsonBody } from '../../../consul/call.ts';
import { sleep } from '../../../daemon/sleep.ts';
import type { Query } from '../query.ts';
import { type Feed, type FeedPorts, type HeldFeed, UNDOUBTED } from './heard.ts';
import { oneEach } from './one-each.ts';

/** Endpoints without a way of their own: a blocking query for each of the first, the others are asked every few seconds. */
export function createEndpointsFeed(ports: FeedPorts, most: () => number, signal: AbortSignal): HeldFeed {
  const held = oneEach<Query>((query, end, renewal) => hold(ports, query, renewal, end), signal);
  const polled = oneEach<Query>((query, end) => poll(ports, query, OVERFLOW_EVERY_MS, end), signal);
  return {
    follow: (queries) => {
      held.follow(byId(queries.slice(0, most())));
      polled.follow(byId(queries.slice(most())));
    },
    renew: held.renew,
  };
}

/** What cannot be asked to wait for a change. */
export function createPollFeed(ports: FeedPorts, signal: AbortSignal): Feed {
  const running = oneEach<Query>(
    (query, end) => poll(ports, query, query.source.kind === 'poll' ? query.source.everyMs : OVERFLOW_EVERY_MS, end),
    signal,
  );
  return { follow: (queries) => running.follow(byId(queries)) };
}

/** How often endpoints are asked that are too many to be held, milliseconds. */
const OVERFLOW_EVERY_MS = 5_000;
const RETRY_MS = 1_000;

async function hold({ transport, hear, observe }: FeedPorts, query: Query, renewal: Renewal, signal: AbortSignal): Promise<void> {
  const asked = { ...requestOf(query), parse: (json: unknown) => json };
  const options = { observe: (state: QueryState) => observe(query, state), renewal };
  for await (const { body, ...evidence } of blockingQuery(transport, asked, options, signal)) {
    hear(query, body, evidence);
  }
}

async function poll({ transport, hear, observe }: FeedPorts, query: Query, everyMs: number, signal: AbortSignal): Promise<void> {
  for (let failures = 0, since = 0; !signal.aborted; ) {
    try {
      const request = { ...requestOf(query), method: 'GET', timeoutMs: 10_000 } as const;
      const answer = await transport.send(request, signal);
      if (answer.status !== 200 && answer.status !== 404) throw new ConsulRefusal(request, answer, transport.subject);
      const body = answer.status === 404 ? null : jsonBody(request, answer, transport.subject);
      if (failures > 0) observe(query, { kind: 'ok', since: Date.now() });
      failures = 0;
      hear(query, body, UNDOUBTED);
    } catch (error) {
      if (signal.aborted) return;
      if (failures++ === 0) since = Date.now();
      observe(query, { kind: 'failing', since, failures, error: error instanceof Error ? error : new Error(String(error)) });
    }
    await sleep(failures > 0 ? RETRY_MS : everyMs, signal);
  }
}

function requestOf({ source }: Query): { readonly path: string; readonly query: Readonly<Record<string, string>> } {
  return {
    path: source.kind === 'consul' || source.kind === 'poll' ? source.path : '',
    query: source.kind === 'consul' ? source.params : {},
  };
}

function byId(queries: readonly Query[]): ReadonlyMap<string, Query> {
  return new Map(queries.map((query) => [query.id, query]));
}
