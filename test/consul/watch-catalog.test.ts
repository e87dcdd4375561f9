import { expect, test } from '@jest/globals';
import type { ConsulAnswer, WatchTransport } from '../../consul/transport.ts';
import { type WatchOptions, watchCatalog } from '../../consul/watch-catalog.ts';
import { createLog } from '../../daemon/log.ts';

const log = createLog('test', 'silent');

/** A Consul that answers a service's first question after so many milliseconds, all others at once, and holds every further one. */
function slowConsul(afterMs: Readonly<Record<string, number>>): WatchTransport {
  const json = (body: unknown): ConsulAnswer => ({
    status: 200,
    headers: { 'x-consul-index': '5' },
    body: Buffer.from(JSON.stringify(body)),
  });
  const after = (ms: number, signal: AbortSignal, answer?: ConsulAnswer) =>
    new Promise<ConsulAnswer>((resolve, reject) => {
      const timer = setTimeout(() => answer && resolve(answer), ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    });
  return {
    subject: 'a slow Consul',
    capacity: () => 100,
    send: async ({ path, query }, signal) => {
      if (query?.['index'] !== undefined) return await after(1_000, signal);
      if (path === '/v1/catalog/services') return json(Object.fromEntries(Object.keys(afterMs).map((name) => [name, []])));
      if (path === '/v1/catalog/datacenters') return json(['dc1']);
      if (path.startsWith('/v1/kv/')) return json([]);
      const name = path.split('/').at(-1) ?? '';
      return await after(
        afterMs[name] ?? 0,
        signal,
        json([{ Node: { Node: 'n', Address: '10.0.0.1' }, Service: { ID: name, Service: name } }]),
      );
    },
  };
}

async function firstUpdate(options: Pick<WatchOptions, 'transport' | 'gatherMs'>) {
  for await (const update of watchCatalog({ isWanted: () => true, keyPrefix: 'x/', log, ...options }, new AbortController().signal))
    return update;
  throw new Error('the watch ended');
}

test('the first snapshot waits for all services as long as one after the other answers', async () => {
  const transport = slowConsul({ a: 10, b: 350, c: 700, d: 1_050 });

  const update = await firstUpdate({ transport, gatherMs: 700 });

  expect([...(update.catalog.services.keys() ?? [])].sort()).toEqual(['a', 'b', 'c', 'd']);
  expect(update.evidence.unanswered).toEqual({ services: [], keys: false, datacenters: false });
});

test('and comes without those that do not answer, which it names', async () => {
  const transport = slowConsul({ a: 10, never: 60_000 });

  const update = await firstUpdate({ transport, gatherMs: 200 });

  expect([...update.catalog.services.keys()]).toEqual(['a']);
  expect(update.evidence.unanswered.services).toEqual(['never']);
});
