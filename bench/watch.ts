/**
 * Figures of the catalog watch, by way of watching and size: `npm run build && node dist/bench/watch.js [SERVICES…]`.
 * Writes bench/results/watch.md. The changes are written by a process of their own, so that the CPU told is the watch's.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseConsulAddress } from '../consul/address.ts';
import type { CatalogUpdate } from '../consul/catalog-update.ts';
import { connectConsul } from '../consul/connect.ts';
import type { ConsulOptions, WatchTransport } from '../consul/transport.ts';
import { watchCatalog } from '../consul/watch-catalog.ts';
import { createLog } from '../daemon/log.ts';
import { startConsul, type TestConsul } from '../test/harness/consul.ts';
import { PROJECT_FOLDER } from '../test/harness/program.ts';
import { connectionsTo } from './connections.ts';
import { quantile } from './quantiles.ts';

const INSTANCES = 5;
const NODES = 50;
const ROUNDS = 60;

/** What the writer is told to do; it answers when it began, milliseconds since the epoch. */
type Write = { readonly url: string; readonly body: object };

async function put({ url, body }: Write): Promise<void> {
  process.send?.(now());
  await fetch(url, { method: 'PUT', body: JSON.stringify(body) });
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

interface Row {
  readonly way: string;
  readonly services: number;
  readonly coldMs: number;
  readonly change: string;
  readonly latenciesMs: readonly number[];
  readonly cpuMs: number;
  readonly requests: number;
  readonly bytes: number;
  readonly connections: number;
  readonly rssMb: number;
}

async function bench(sizes: readonly number[]): Promise<void> {
  const rows: Row[] = [];
  for (const services of sizes.length > 0 ? sizes : [80, 500, 2_000]) {
    await using consul = await startConsul({ https: true, config: { limits: { http_max_conns_per_client: 4_000 } } });
    states.clear();
    await fill(consul, services);
    const http2 = { ...at(consul.httpsUrl), tls: { ca: readFileSync(consul.caFile, 'utf8') } };
    if (services <= 90) rows.push(...(await measure('each, HTTP/1.1', services, at(consul.url), consul)));
    rows.push(...(await measure('each, HTTP/2', services, http2, consul)));
    rows.push(...(await measure('triggers, HTTP/1.1', services, at(consul.url), consul, 0)));
  }
  const text = report(rows);
  writeFileSync(`${PROJECT_FOLDER}/bench/results/watch.md`, text);
  console.log(text);
}

function at(url: string): ConsulOptions {
  const address = parseConsulAddress(url);
  if (address === undefined) throw new Error(`no address: ${url}`);
  return { address };
}

function registration(service: number, instance: number, port: number, status: string): object {
  const Node = `n${(service * INSTANCES + instance) % NODES}`;
  const ID = `s${service}-${instance}`;
  return {
    Node,
    Address: '10.0.0.1',
    SkipNodeUpdate: true,
    Service: { ID, Service: `s${service}`, Tags: ['haproxy', `haproxy_route=/s${service}`], Port: port, Meta: { 'toots-owner': Node } },
    Check: { Node, CheckID: `service:${ID}`, Name: 'c', Status: status, ServiceID: ID },
  };
}

async function fill(consul: TestConsul, services: number): Promise<void> {
  const rest = Array.from({ length: services * INSTANCES }, (_, n) => n)[Symbol.iterator]();
  const work = async () => {
    for (const n of rest) {
      await consul.ask('PUT', '/v1/catalog/register', registration(Math.floor(n / INSTANCES), n % INSTANCES, 8_080, 'passing'));
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

/** Counts requests and the bytes of their answers. */
function counting(
  transport: WatchTransport,
  capacity: number | undefined,
): WatchTransport & { readonly count: { requests: number; bytes: number } } {
  const count = { requests: 0, bytes: 0 };
  return {
    ...transport,
    ...(capacity !== undefined && { capacity: () => capacity }),
    count,
    send: async (request, signal) => {
      count.requests++;
      const answer = await transport.send(request, signal);
      count.bytes += answer.body.length;
      return answer;
    },
  };
}

/** How the instances of the running Consul are, where they were changed. */
const states = new Map<string, { readonly port: number; readonly status: string }>();

async function measure(
  way: string,
  services: number,
  options: ConsulOptions,
  consul: TestConsul,
  capacity?: number,
): Promise<readonly Row[]> {
  const end = new AbortController();
  const writer = fork(fileURLToPath(import.meta.url));
  await using plain = connectConsul(options);
  const transport = counting(plain, capacity);
  const isWanted = (_: string, tags: readonly string[]) => tags.includes('haproxy');
  const startedAt = now();
  const watch = watchCatalog({ transport, isWanted, keyPrefix: 'haproxy/', log: createLog('bench', 'error') }, end.signal);
  const updates = watch[Symbol.asyncIterator]();
  await updates.next();
  const coldMs = now() - startedAt;
  await wait(3_000);

  const rows: Row[] = [];
  for (const change of ['check', 'port'] as const) {
    const before = { ...transport.count };
    const cpuBefore = process.cpuUsage();
    const latenciesMs: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const service = (round * 7) % services;
      const instance = round % INSTANCES;
      const key = `${service}-${instance}`;
      const { port = 8_080, status = 'passing' } = states.get(key) ?? {};
      const next = change === 'port' ? { port: port + 1, status } : { port, status: status === 'passing' ? 'warning' : 'passing' };
      states.set(key, next);
      writer.send({ url: `${consul.url}/v1/catalog/register`, body: registration(service, instance, next.port, next.status) });
      const [beganAt] = await once(writer, 'message');
      await seen(updates, `s${service}`);
      latenciesMs.push(now() - beganAt);
      await wait(100 + Math.random() * 50);
    }
    const cpu = process.cpuUsage(cpuBefore);
    rows.push({
      ...{ way, services, coldMs, change, latenciesMs },
      cpuMs: (cpu.user + cpu.system) / 1_000 / ROUNDS,
      requests: (transport.count.requests - before.requests) / ROUNDS,
      bytes: (transport.count.bytes - before.bytes) / ROUNDS,
      connections: options.address.kind === 'tcp' ? connectionsTo(options.address.port) : 0,
      rssMb: process.memoryUsage.rss() / 2 ** 20,
    });
  }
  end.abort();
  writer.kill();
  await once(writer, 'exit');
  return rows;
}

async function seen(updates: AsyncIterator<CatalogUpdate>, service: string): Promise<void> {
  for (;;) {
    const { value } = await updates.next();
    if (value.changed.includes(service)) return;
  }
}

function report(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const [p50, p95] = [quantile(row.latenciesMs, 0.5), quantile(row.latenciesMs, 0.95)].map((ms) => ms.toFixed(1));
    const cells = [`${row.services} × ${INSTANCES}`, row.way, row.change, p50, p95, row.cpuMs.toFixed(1), row.requests.toFixed(1)];
    return [...cells, (row.bytes / 1_000).toFixed(1), row.connections, row.coldMs.toFixed(0), row.rssMb.toFixed(0)].join(' | ');
  });
  return `# The catalog watch

\`npm run build && node dist/bench/watch.js\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores, Consul in dev mode on the same machine.
${ROUNDS} changes a row, one after the other, each to an instance with a check, on ${NODES} nodes: the check's state, or the port. From the begin of the
write to the update with it, written by another process. CPU, requests and bytes of answers are a change's; all is of the watching process alone.

| services | way | change | p50 ms | p95 ms | CPU ms | requests | kB | connections | cold start ms | RSS MB |
|---|---|---|---|---|---|---|---|---|---|---|
${lines.map((line) => `| ${line} |`).join('\n')}
`;
}

if (process.send === undefined) await bench(process.argv.slice(2).map(Number));
else process.on('message', (write: Write) => void put(write));
