/**
 * How soon the edge follows, what a storm of changes costs requests, and what many services cost.
 *   npm run build && node dist/bench/edge.js [SERVICES…]     prints, and writes bench/results/edge.md
 * consul and haproxy (or that of TOOTS_HAPROXY) on this machine, which should do nothing else. Two minutes.
 */
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startConsul, type TestConsul } from '../test/harness/consul.ts';
import { startEdge, type TestEdge } from '../test/harness/edge.ts';
import { startEdgeWorld } from '../test/harness/edge-world.ts';
import { startFleet } from '../test/harness/fleet.ts';
import { startLoad } from '../test/harness/load.ts';
import { PROJECT_FOLDER } from '../test/harness/program.ts';
import { deregister, register } from '../test/harness/registered.ts';
import { usageOf } from '../test/harness/registrator.ts';
import { request } from '../test/harness/request.ts';
import { until } from '../test/harness/until.ts';
import { quantiles } from './quantiles.ts';

const TIMES = 30;
const INSTANCES = 10;
const IDLE_S = 10;
/** Lets what came before finish, so that it is not measured too, and an edge be quiet, milliseconds. */
const CALM_MS = 1_100;

const loadBefore = (loadavg()[0] ?? 0).toFixed(1);
const rows: string[] = [];
const now = () => performance.now();

const report = (what: string, result: string) => {
  rows.push(`| ${what} | ${result} |`);
  console.log(`${what}: ${result}`);
};

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

async function follow(): Promise<void> {
  await using world = await startEdgeWorld();
  await world.serve('web', 'stays', ['haproxy']);
  await world.isAnswered('web.service', 'web/stays');
  const [added, gone, fresh]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < TIMES; i += 1) {
    const id = `i${i}`;
    const instance = await world.fleet.add({ service: 'web', id });
    const registration = { service: 'web', id: `web-${id}`, tags: ['haproxy'], address: instance.address, port: instance.port };
    let start = now();
    const sent = register(world.consul, registration);
    added.push((await answered(world.edge, 'web.service', (from) => from === id)) - start);
    await sent;
    await wait(CALM_MS);
    start = now();
    const left = deregister(world.consul, registration);
    let last = start;
    while (now() - start < 300) {
      const answer = await world.ask('web.service');
      if (answer.kind === 'answer' && answer.from.instance === id) last = now();
    }
    gone.push(last - start);
    await left;
  }
  for (let i = 0; i < TIMES; i += 1) {
    await wait(CALM_MS);
    const { address, port } = await world.fleet.add({ service: `new-${i}`, id: 'a' });
    const start = now();
    const sent = register(world.consul, { service: `new-${i}`, id: `new-${i}`, tags: ['haproxy'], address, port });
    fresh.push((await answered(world.edge, `new-${i}.service`, (_, status) => status === 200)) - start);
    await sent;
  }
  report(`new instance: register → first answer, ${TIMES} times`, quantiles(added));
  report(`deregister → last answer, ${TIMES} times`, quantiles(gone));
  report(
    `new service: register → first 200, ${TIMES} times; reloads`,
    `${quantiles(fresh)}; ${await world.edge.metric('toots_edge_reloads_total')}`,
  );
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
  for (let i = 0; i < 50; i += 1) {
    const one = await world.serve('web', `i${i}`, ['haproxy']);
    await wait(50);
    await world.withdraw(one);
    await wait(50);
    setTimeout(() => void one.instance.stop(), 2_000);
  }
  await wait(2_500);
  end.abort();
  await probe;
  const { requests, failed } = await load.stop();
  const reloads = (await world.edge.metric('toots_edge_reloads_total')) - before;
  report(
    '100 changes of instances under 8 keep-alive clients, each stopped 2 s after: failed of all requests; reloads',
    `${failed} of ${requests + probes.length}; ${reloads}`,
  );
  report('the same: a request', quantiles(probes));
}

async function fill(consul: TestConsul, services: number): Promise<void> {
  const all = Array.from({ length: services * INSTANCES }, (_, i) => i);
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
  const name = `${services} services × ${INSTANCES}, over HTTPS`;
  await using consul = await startConsul({ https: true });
  await using fleet = startFleet();
  await fill(consul, services);
  const stays = await fleet.add({ service: 'probe', id: 'stays' });
  await register(consul, { service: 'probe', id: 'probe', tags: ['haproxy'], address: stays.address, port: stays.port });

  const start = now();
  await using edge = await startEdge({ consulUrl: consul.httpsUrl, args: ['--consul-ssl-ca-cert', consul.caFile] });
  await until(async () => (await request({ port: edge.ports.http, host: 'probe.service' })).kind === 'answer', 60_000, 'the edge serves');
  report(`${name}: cold start until the first answer`, `${((now() - start) / 1_000).toFixed(1)} s`);

  await wait(6_000);
  const { pid } = edge.templater();
  const [idleFrom, roundsFrom] = [await usageOf(pid), await edge.metric('toots_edge_rounds_total')];
  await wait(IDLE_S * 1_000);
  const idle = await usageOf(pid);
  report(
    `${name}: own CPU, resident memory, ${IDLE_S} s idle; rounds in them`,
    `${(((idle.cpuMs - idleFrom.cpuMs) / (IDLE_S * 1_000)) * 100).toFixed(1)} %, ${Math.round(idle.rssBytes / 1e6)} MB; ${(await edge.metric('toots_edge_rounds_total')) - roundsFrom}`,
  );

  const took: number[] = [];
  const before = await usageOf(pid);
  for (let i = 0; i < TIMES; i += 1) {
    const { address, port } = await fleet.add({ service: 'probe', id: `p${i}` });
    const begun = now();
    const sent = register(consul, { service: 'probe', id: `probe-${i}`, tags: ['haproxy'], address, port });
    took.push((await answered(edge, 'probe.service', (from) => from === `p${i}`)) - begun);
    await sent;
    await deregister(consul, { id: `probe-${i}` });
    await wait(100);
  }
  const after = await usageOf(pid);
  report(`${name}: new instance, register → first answer`, quantiles(took));
  report(
    `${name}: own CPU of a change, resident memory`,
    `${((after.cpuMs - before.cpuMs) / (2 * TIMES)).toFixed(1)} ms, ${Math.round(after.rssBytes / 1e6)} MB`,
  );
}

const sizes = process.argv.slice(2).map(Number);
await follow();
await storm();
for (const services of sizes.length > 0 ? sizes : [100, 500, 1_000]) await size(services);
const text = [
  '# The edge',
  '',
  `\`npm run build && node dist/bench/edge.js\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores (load ${loadBefore} before it began), Consul in dev mode,`,
  'HAProxy, instances and clients on the same machine. From the begin of the write to Consul. Requests and bytes to Consul are in [watch.md](watch.md).',
  '',
  '| what | result |',
  '|---|---|',
  ...rows,
  '',
].join('\n');
await writeFile(join(PROJECT_FOLDER, 'bench/results/edge.md'), text);
