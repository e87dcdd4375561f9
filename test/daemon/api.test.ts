import { expect, test } from '@jest/globals';
import { Counter } from 'prom-client';
import { type ApiSources, createMetrics, serveApi } from '../../daemon/api.ts';
import { freePort } from '../harness/free-port.ts';

const metrics = createMetrics('try');
new Counter({ name: 'tried_total', help: 'Tries', registers: [metrics] }).inc(3);

const SOURCES: ApiSources = {
  notReady: () => undefined,
  status: () => ({ problems: [{ subject: 'web' }], holds: [] }),
  metrics,
  routes: {
    'POST /release': async (query) => ({ status: 202, body: { released: query.get('what') } }),
    'GET /broken': () => Promise.reject(new Error('a bug')),
  },
};

async function startApi(given: Partial<ApiSources> = {}) {
  const stop = new AbortController();
  const port = await freePort();
  await serveApi({ address: '127.0.0.1', port }, { ...SOURCES, ...given }, stop.signal);
  return {
    port,
    ask: async (path: string, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
      return { status: response.status, text: await response.text() };
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}

test.each<[method: string, path: string, status: number, says: RegExp]>([
  ['GET', '/health/live', 200, /"live": true/],
  ['GET', '/health/ready', 200, /"ready": true/],
  ['GET', '/status', 200, /"subject": "web"/],
  ['GET', '/status?pretty', 200, /"holds": \[\]/],
  ['GET', '/metrics', 200, /^tried_total\{program="try"\} 3$/m],
  ['HEAD', '/health/live', 200, /^$/],
  ['POST', '/release?what=web', 202, /"released": "web"/],
  ['GET', '/release', 404, /POST \/release/],
  ['POST', '/status', 404, /no such path: POST \/status/],
  ['GET', '/', 404, /GET \/health\/live/],
  ['GET', '/broken', 500, /"error": "a bug"/],
])('%s %s is answered %i', async (method, path, status, says) => {
  using api = await startApi();

  const answer = await api.ask(path, method);

  expect(answer).toEqual({ status, text: expect.stringMatching(says) });
});

test('a program that is not ready says why, and is live all the same', async () => {
  using api = await startApi({ notReady: () => 'Consul is away' });

  expect(await api.ask('/health/ready')).toEqual({ status: 503, text: expect.stringContaining('Consul is away') });
  expect((await api.ask('/health/live')).status).toBe(200);
});

test('a request that is none does not end it', async () => {
  using api = await startApi();

  expect((await api.ask('//')).status).toBe(404);
  expect((await api.ask('//[x:y?z')).status).toBe(404);

  expect((await api.ask('/health/live')).status).toBe(200);
});

test('an address that is taken is an error that names it and the option', async () => {
  using api = await startApi();

  const second = serveApi({ address: '127.0.0.1', port: api.port }, SOURCES, new AbortController().signal);

  await expect(second).rejects.toThrow(new RegExp(`127.0.0.1:${api.port}.*EADDRINUSE.*-api`));
});

test('it ends with the signal, connections too', async () => {
  const { ask, port, [Symbol.dispose]: end } = await startApi();
  await ask('/health/live');

  end();

  await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
});
