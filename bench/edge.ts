/**
 * How soon the edge follows, what a storm of changes costs requests, and what many services cost.
 *   npm run build && node dist/bench/edge.js [PART…]     prints, and writes bench/results/edge.md
 * A part is `follow`, `storm` or a number of services; without one it is all of them. With consul-template on PATH (or its path in CONSUL_TEMPLATE)
 * `follow` measures it in the same run, and says what ours is of its figures.
 * consul and haproxy (or that of TOOTS_HAPROXY) on this machine, which should do nothing else; HAProxy 3.4 is fetched from Debian.
 */
import { Agent } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { startConsul, type TestConsul } from '../test/harness/consul.ts';
import { startEdge, type TestEdge } from '../test/harness/edge.ts';
import { startEdgeWorld } from '../test/harness/edge-world.ts';
import { startLoad } from '../test/harness/load.ts';
import { usageOf } from '../test/harness/registrator.ts';
import { request } from '../test/harness/request.ts';
import { until } from '../test/harness/until.ts';
import { connectionsTo } from './connections.ts';
import { put, register } from './consul-writes.ts';
import { follow } from './edge-follow.ts';
import { probe } from './probe.ts';
import { quantiles } from './quantiles.ts';
import { createReport } from './report.ts';
import { startStaticInstances } from './static-instances.ts';

const TIMES = 30;
/** Changes that are not counted: they are what Node compiles its code by. */
const WARM_UP = 10;
/** By number of services, the instances of each. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [100, 10],
  [500, 5],
  [1_000, 10],
  [5_000, 5],
]);
const IDLE_S = 20;
const STORM = { added: 200, overMs: 20_000, stoppedAfterMs: 2_000 };

const { row: report, write } = createReport('edge', 'The edge');
const now = () => performance.now();

async function storm(): Promise<void> {
  await using world = await startEdgeWorld();
  await world.serve('web', 'stays', ['haproxy']);
  await world.isAnswered('web.service', 'web/stays');
  const probes: number[] = [];
  const before = await world.edge.metric('toots_edge_reloads_total');
  const load = startLoad({ address: world.edge.bind, port: world.edge.ports.http, host: 'web.service', clients: 7 });
  const end = new AbortController();
  const probe = (async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!end.signal.aborted) {
      const start = now();
      await request({ address: world.edge.bind, port: world.edge.ports.http, host: 'web.service', agent });
      probes.push(now() - start);
    }
    agent.destroy();
  })();
  const start = now();
  for (let i = 0; i < STORM.added; i += 1) {
    const one = await world.serve('web', `i${i}`, ['haproxy']);
    await wait(Math.max(0, start + ((i + 0.5) / STORM.added) * STORM.overMs - now()));
    await world.withdraw(one);
    await wait(Math.max(0, start + ((i + 1) / STORM.added) * STORM.overMs - now()));
    setTimeout(() => void one.instance.stop(), STORM.stoppedAfterMs);
  }
  await wait(STORM.stoppedAfterMs + 500);
  end.abort();
  await probe;
  const { requests, failed } = await load.stop();
  const reloads = (await world.edge.metric('toots_edge_reloads_total')) - before;
  report(
    `storm: ${STORM.added} instances added and withdrawn in ${STORM.overMs / 1_000} s under 8 keep-alive clients, each stopped 2 s after: failed of all requests; reloads`,
    `${failed} of ${requests + probes.length}; ${reloads}`,
  );
  report('storm: a request', quantiles(probes));
}

/** How many instances are written in one transaction, of which Consul takes 64 operations. */
const WRITTEN_AT_ONCE = 32;
const NODES = 50;

async function fill(consul: TestConsul, services: number, instances: number): Promise<void> {
  const node = (i: number) => ({ Node: { Verb: 'set', Node: { Node: `n${i}`, Address: `127.9.0.${i + 1}` } } });
  await consul.ask(
    'PUT',
    '/v1/txn',
    Array.from({ length: NODES }, (_, i) => node(i)),
  );
  const batches = Array.from({ length: Math.ceil((services * instances) / WRITTEN_AT_ONCE) }, (_, i) => i * WRITTEN_AT_ONCE);
  const writer = async () => {
    for (let from = batches.pop(); from !== undefined; from = batches.pop()) {
      const length = Math.min(WRITTEN_AT_ONCE, services * instances - from);
      const first = from;
      await consul.ask('PUT', '/v1/txn', Array.from({ length }, (_, i) => instanceOf(first + i, services)).flat());
    }
  };
  await Promise.all(Array.from({ length: 4 }, writer));
}

function instanceOf(i: number, services: number): object[] {
  const [name, id, node] = [`service-${i % services}`, `s${i % services}-${i}`, `n${i % NODES}`];
  const service = { ID: id, Service: name, Port: 9, Tags: ['haproxy', `haproxy_route=/s${i % services}`] };
  const check = { Node: node, CheckID: `service:${i}`, Name: 'up', Status: 'passing', ServiceID: id };
  return [{ Service: { Verb: 'set', Node: node, Service: service } }, { Check: { Verb: 'set', Check: check } }];
}

async function size(services: number): Promise<void> {
  const instances = SIZES.get(services) ?? 10;
  const name = `${services} services × ${instances}, over HTTPS`;
  await using consul = await startConsul({ https: true });
  await using instancesOfProbe = await startStaticInstances(1 + WARM_UP + TIMES);
  const { addresses, port } = instancesOfProbe;
  console.log(`${name}: writing them to Consul …`);
  await fill(consul, services, instances);
  await register(consul, { id: 'probe', service: 'probe', address: addresses[0] ?? '', port }, async () => {});

  console.log(`${name}: starting the edge …`);
  const start = now();
  await using edge = await startEdge({ consulUrl: consul.httpsUrl, args: ['--consul-ssl-ca-cert', consul.caFile] });
  await until(async () => (await request({ port: edge.ports.http, host: 'probe.service' })).kind === 'answer', 120_000, 'the edge serves');
  report(`${name}: cold start until the first answer`, `${((now() - start) / 1_000).toFixed(1)} s`);

  await wait(6_000);
  const idleFrom = await costOf(edge);
  await wait(IDLE_S * 1_000);
  const idle = await costOf(edge);
  const aSecond = (from: number, to: number) => (to - from) / IDLE_S;
  report(
    `${name}: ${IDLE_S} s idle: own CPU; requests to Consul a second; rounds in all`,
    `${(aSecond(idleFrom.cpuMs, idle.cpuMs) / 10).toFixed(1)} %; ${aSecond(idleFrom.requests, idle.requests).toFixed(2)}; ${idle.rounds - idleFrom.rounds}`,
  );

  const took: number[] = [];
  let before = await costOf(edge);
  for (let i = -WARM_UP; i < TIMES; i += 1) {
    if (i === 0) before = await costOf(edge);
    const [id, address] = [`probe-${i}`, addresses[1 + WARM_UP + i] ?? ''];
    const seen = () => probe(edge.ports.http, 'probe.service', ({ said }) => said === address);
    const tookMs = await register(consul, { id, service: 'probe', address, port }, seen);
    if (i >= 0) took.push(tookMs);
    await put(consul, `/v1/agent/service/deregister/${id}`);
    await wait(100);
  }
  const after = await costOf(edge);
  const each = (from: number, to: number) => ((to - from) / (2 * TIMES)).toFixed(1);
  report(`${name}: new instance, register → first answer`, quantiles(took));
  report(
    `${name}: a change: own CPU; answers of Consul, their bytes; rounds`,
    `${each(before.cpuMs, after.cpuMs)} ms; ${each(before.requests, after.requests)}, ${each(before.bytes / 1_000, after.bytes / 1_000)} kB; ${each(before.rounds, after.rounds)}`,
  );
  report(
    `${name}: connections to Consul; resident memory of the templater and of HAProxy`,
    `${connectionsTo(new URL(consul.httpsUrl).port)}; ${megabytes(after.rssBytes)} and ${megabytes(await haproxyBytes(edge))}`,
  );
}

/** What the templater has taken so far. */
async function costOf(edge: TestEdge) {
  const { cpuMs, rssBytes } = await usageOf(edge.templater().pid);
  const [requests, bytes, rounds] = await Promise.all(
    ['toots_consul_answers_total', 'toots_consul_answer_bytes_total', 'toots_edge_rounds_total'].map((name) => edge.metric(name)),
  );
  return { cpuMs, rssBytes, requests: requests ?? 0, bytes: bytes ?? 0, rounds: rounds ?? 0 };
}

async function haproxyBytes(edge: TestEdge): Promise<number> {
  const [master, worker] = await Promise.all([usageOf(await edge.master()), usageOf(await edge.worker())]);
  return master.rssBytes + worker.rssBytes;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

const ALL = ['follow', 'storm', ...[...SIZES.keys()].map(String)];
const parts = process.argv.length > 2 ? process.argv.slice(2) : ALL;
if (parts.includes('follow')) await follow(report);
if (parts.includes('storm')) await storm();
for (const services of parts.map(Number).filter(Number.isFinite)) await size(services);
await write(
  [
    'Consul in dev mode, HAProxy, instances and clients on the same machine. From the begin of the write to Consul; a change of an instance is',
    'what the agent makes of it: the registration, and its check. What the ways of watching cost by themselves is in [watch.md](watch.md).',
  ],
  parts !== ALL,
);
