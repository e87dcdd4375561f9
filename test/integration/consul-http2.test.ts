import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { connectConsul } from '../../consul/connect.ts';
import { createHttp2Transport } from '../../consul/http2-transport.ts';
import type { ConsulOptions, ConsulRequest } from '../../consul/transport.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { until } from '../harness/until.ts';

jest.setTimeout(30_000);

const never = new AbortController().signal;
const HELLO: ConsulRequest = { method: 'GET', path: '/hello', timeoutMs: 5_000 };
const HELD: ConsulRequest = { method: 'GET', path: '/held', timeoutMs: 20_000 };

/** Only its certificates are needed by most: the servers here are doubles, for what Consul's own does not do when asked to. */
let consul: TestConsul;
let files: { readonly ca: string; readonly cert: string; readonly key: string };
beforeAll(async () => {
  consul = await startConsul({ https: true });
  const read = (name: string) => readFileSync(join(dirname(consul.caFile), name), 'utf8');
  files = { ca: readFileSync(consul.caFile, 'utf8'), cert: read('dc1-server-consul-0.pem'), key: read('dc1-server-consul-0-key.pem') };
});
afterAll(async () => {
  await consul[Symbol.asyncDispose]();
});

interface Double {
  readonly options: ConsulOptions;
  readonly sessions: ServerHttp2Session[];
  /** Streams that wait for an answer. */
  readonly held: Set<ServerHttp2Stream>;
  readonly server: Http2SecureServer;
}

const servers: { close: () => void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Answers every path with its name, but `/held` not at all and `/half` by a half. */
async function startDouble(maxConcurrentStreams = 250): Promise<Double> {
  const server = createSecureServer({ ...files, settings: { maxConcurrentStreams } });
  const sessions: ServerHttp2Session[] = [];
  const held = new Set<ServerHttp2Stream>();
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    if (headers[':path'] === '/held') {
      held.add(stream);
      stream.on('close', () => held.delete(stream));
      return;
    }
    stream.respond({ ':status': 200, 'x-token': headers['x-consul-token'] ?? '', 'content-length': headers[':path']?.length ?? 0 });
    if (headers[':path'] === '/half') stream.write('/ha', () => stream.close());
    else stream.end(headers[':path']);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  servers.push({
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  });
  return { options: at((server.address() as AddressInfo).port), sessions, held, server };
}

function at(port: number): ConsulOptions {
  return { address: { kind: 'tcp', tls: true, host: '127.0.0.1', port }, tls: { ca: files.ca }, token: () => 'secret' };
}

test('many requests wait on one connection, each with the token', async () => {
  const { options, sessions, held } = await startDouble();
  await using transport = createHttp2Transport(options);
  const end = new AbortController();

  const waiting = Array.from({ length: 200 }, () => transport.send(HELD, end.signal).catch((error: unknown) => error));
  await until(() => held.size === 200, 5_000, 'all are held');
  const { status, headers, body } = await transport.send(HELLO, never);

  expect([status, headers['x-token'], String(body)]).toEqual([200, 'secret', '/hello']);
  expect(sessions).toHaveLength(1);
  end.abort();
  expect(await Promise.all(waiting)).toEqual(Array.from({ length: 200 }, () => end.signal.reason));
  await until(() => held.size === 0, 5_000, 'the server is told that nobody waits');
});

test('no more streams are opened than the other side allows', async () => {
  const { options, sessions, held } = await startDouble(10);
  await using transport = createHttp2Transport(options);
  const end = new AbortController();

  const waiting = Array.from({ length: 35 }, () => transport.send(HELD, end.signal).catch(() => {}));
  await until(() => held.size === 35, 5_000, 'all are held');

  expect(sessions.length).toBe(4);
  expect(transport.capacity()).toBe(10 * 50);
  end.abort();
  await Promise.all(waiting);
});

test('after a GOAWAY what is held stays, and what is new goes to a new connection', async () => {
  const { options, sessions, held } = await startDouble();
  await using transport = createHttp2Transport(options);
  const waiting = transport.send(HELD, never);
  await until(() => held.size === 1, 5_000, 'it is held');

  sessions[0]?.goaway(0, 1);
  await until(
    async () => {
      await transport.send(HELLO, never);
      return sessions.length === 2;
    },
    5_000,
    'a second connection',
  );
  for (const stream of held) stream.respond({ ':status': 200 }, { endStream: true });

  expect((await waiting).status).toBe(200);
  await until(() => sessions[0]?.destroyed, 5_000, 'the first connection is closed');
});

test.each([
  ['a connection that is lost', HELD, ({ sessions }: Double) => sessions[0]?.destroy()],
  ['an answer that is cut in the middle', { ...HELLO, path: '/half' }, () => {}],
])('%s is an error, and the next request is answered', async (_, request, happens) => {
  const double = await startDouble();
  await using transport = createHttp2Transport(double.options);
  const outcome = transport.send(request, never).catch((error: unknown) => String(error));

  if (request === HELD) await until(() => double.held.size === 1, 5_000, 'it is held');
  happens(double);

  expect(await outcome).toMatch(/^OperationError: Consul GET/);
  expect((await transport.send(HELLO, never)).status).toBe(200);
});

test('a request that takes too long is dropped at its time', async () => {
  const { options, held } = await startDouble();
  await using transport = createHttp2Transport(options);

  await expect(transport.send({ ...HELD, timeoutMs: 100 }, never)).rejects.toThrow('no answer within 100 ms');

  await until(() => held.size === 0, 5_000, 'the server is told');
});

test('an agent that cannot be reached is an error each time, until it can', async () => {
  const { options, server } = await startDouble();
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  await using transport = createHttp2Transport(options);
  await expect(transport.send(HELLO, never)).rejects.toThrow('ECONNREFUSED');

  server.listen(port, '127.0.0.1');

  expect((await until(() => transport.send(HELLO, never), 5_000, 'an answer')).status).toBe(200);
});

test('an https port that speaks HTTP/1.1 only is spoken to so', async () => {
  const server = createServer(files, (request, response) => response.end(request.httpVersion));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  servers.push(server);
  await using transport = connectConsul(at((server.address() as AddressInfo).port));

  expect(String((await transport.send(HELLO, never)).body)).toBe('1.1');
  expect(transport.capacity()).toBe(100);
});

test('Consul itself speaks HTTP/2 on its HTTPS port, writes too', async () => {
  await using transport = connectConsul(at(Number(new URL(consul.httpsUrl).port)));

  await transport.send({ method: 'PUT', path: '/v1/kv/a', body: 'hello', timeoutMs: 5_000 }, never);
  const { body } = await transport.send({ method: 'GET', path: '/v1/kv/a', query: { raw: 'true' }, timeoutMs: 5_000 }, never);

  expect(String(body)).toBe('hello');
  expect(transport.capacity()).toBeGreaterThan(1_000);
});
