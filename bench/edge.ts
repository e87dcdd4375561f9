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
import { startFleet } from '../test/harness/fleet.ts';
import { startLoad } from '../test/harness/load.ts';
import { deregister, register } from '../test/harness/registered.ts';
import { usageOf } from '../test/harness/registrator.ts';
import { request } from '../test/harness/request.ts';
import { until } from '../test/harness/until.ts';
import { connectionsTo } from './connections.ts';
import { follow } from './edge-follow.ts';
import { quantiles } from './quantiles.ts';
import { createReport } from './report.ts';

const TIMES = 30;
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

/** Asks a host without a pause until it is answered as wanted; answers when. */
async function answered(
  { bind, ports }: TestEdge,
  host: string,
  isWanted: (instance: string | undefined, status: number) => boolean,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (;;) {
      const answer = await request({ address: bind, port: ports.http, host, agent });
      if (answer.kind === 'answer' && isWanted(answer.from.instance, answer.status)) return now();
    }
  } finally {
    agent.destroy();
  }
}

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

async function fill(consul: TestConsul, services: number, instances: number): Promise<void> {
  const all = Array.from({ length: services * instances }, (_, i) => i);
  const writer = async () => {
    for (let i = all.pop(); i !== undefined; i = all.pop()) {
      const [service, node] = [i % services, i % 50];
      await consul.ask('PUT', '/v1/catalog/register', {
        Node: `n${node}`,
        Address: `127.9.0.${node + 1}`,
        Service: { ID: `s${service}-${i}`, Service: `service-${service}`, Port: 9, Tags: ['haproxy', `haproxy_route=/s${service}`] },
        Check: { Node: `n${node}`, CheckID: `service:${i}`, Name: 'up', Status: 'passing', ServiceID: `s${service}-${i}` },
      });
    }
  };
  await Promise.all(Array.from({ length: 16 }, writer));
}

async function size(services: number): Promise<void> {
  const instances = SIZES.get(services) ?? 10;
  const name = `${services} services × ${instances}, over HTTPS`;
  await using consul = await startConsul({ https: true });
  await using fleet = startFleet();
  await fill(consul, services, instances);
  const stays = await fleet.add({ service: 'probe', id: 'stays' });
  await register(consul, { service: 'probe', id: 'probe', tags: ['haproxy'], address: stays.address, port: stays.port });

  const start = now();
  await using edge = await startEdge({ consulUrl: consul.httpsUrl, args: ['--consul-ssl-ca-cert', consul.caFile] });
  await until(async () => (await request({ port: edge.ports.http, host: 'probe.service' })).kind === 'answer', 60_000, 'the edge serves');
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
  const before = await costOf(edge);
  for (let i = 0; i < TIMES; i += 1) {
    const { address, port } = await fleet.add({ service: 'probe', id: `p${i}` });
    const begun = now();
    const sent = register(consul, { service: 'probe', id: `probe-${i}`, tags: ['haproxy'], address, port });
    took.push((await answered(edge, 'probe.service', (from) => from === `p${i}`)) - begun);
    await sent;
    await deregister(consul, { id: `probe-${i}` });
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
