/**
 * Figures of the template engine on the work that consul-template was measured with: `npm run build && node dist/bench/template.js`, some four
 * minutes. With consul-template on PATH (or its path in CONSUL_TEMPLATE), both are measured in the same run, one after the other at each row.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startConsul, type TestConsul } from '../test/harness/consul.ts';
import { putKey } from '../test/harness/consul-data.ts';
import { type ConsulProxy, startConsulProxy } from '../test/harness/consul-proxy.ts';
import { PROJECT_FOLDER, startProgram } from '../test/harness/program.ts';
import { until } from '../test/harness/until.ts';
import { quantile } from './quantiles.ts';
import { BARE_NODE, CONSUL_TEMPLATE, type Contestant, cpuMs, memory, type Running, start, TOOTS } from './template-contestants.ts';

/** No row is begun after this; with the last one it is four minutes at most. */
const MOST_MS = 210_000;
const KEY_CHANGES = 100;
const CHANGES = 20;
const BETWEEN_MS = 120;
const SETTLE_MS = 1_200;
const IDLE_MS = 2_000;
const ONCE_RUNS = 3;

/** An agent allows 200 connections a client; consul-template needs more. */
const MANY_CONNECTIONS = { limits: { http_max_conns_per_client: 5_000 } };

const startedAt = performance.now();
const hasOther = spawnSync(process.env['CONSUL_TEMPLATE'] ?? 'consul-template', ['-v']).status === 0;
const contestants: readonly Contestant[] = hasOther ? [CONSUL_TEMPLATE, TOOTS] : [TOOTS];
const lines: string[] = [];

function line(...cells: readonly string[]): void {
  lines.push(`| ${cells.join(' | ')} |`);
  console.log(lines.at(-1));
}

/** Says rows as soon as they are known; `measure` answers a contestant's cells, one a row. Out of time, they are not measured. */
async function rows(
  whats: readonly (readonly [what: string, recorded: string])[],
  measure: (contestant: Contestant) => Promise<readonly string[]>,
  of: readonly Contestant[] = contestants,
): Promise<void> {
  const columns: (readonly string[])[] = [];
  const isInTime = performance.now() - startedAt < MOST_MS;
  for (const contestant of contestants) {
    const isMeasured = isInTime && of.includes(contestant);
    columns.push(isMeasured ? await measure(contestant).catch((error: Error) => [`failed: ${error.message.slice(0, 80)}`]) : []);
  }
  whats.forEach(([what, recorded], at) => {
    line(what, recorded, ...columns.map((column) => column[at] ?? '–'));
  });
}

/** What a Node program takes that does nothing: no figure of ours can be below. */
async function floor(): Promise<string> {
  const times: number[] = [];
  for (let run = 0; run < 5; run++) {
    const begun = performance.now();
    await (await startProgram('node', ['-e', '0'])).ended;
    times.push(performance.now() - begun);
  }
  const idle = await startProgram('node', ['-e', 'setTimeout(() => {}, 1e6)']);
  await wait(1_000);
  const held = memory(idle.pid);
  await idle.stop();
  return `${quantile(times, 0.5).toFixed(0)} ms; ${held}`;
}

/** All of them at once, a change of each in turn, so that none has a quieter machine than the others. */
async function keyChanges(consul: TestConsul): Promise<ReadonlyMap<Contestant, readonly string[]>> {
  const all: { contestant: Contestant; key: string; running: Running; times: number[] }[] = [];
  try {
    for (const contestant of [BARE_NODE, ...contestants]) {
      const key = `bench/${contestant.name}`;
      await putKey(consul, key, 'start');
      const running = await start(contestant, 'key', consul.url);
      all.push({ contestant, key, running, times: [] });
      await until(() => running.text() === 'start', 20_000, 'the first file');
    }
    for (let at = 0; at < KEY_CHANGES; at++) {
      for (const { key, running, times } of all) {
        await wait(50);
        const write = () => putKey(consul, key, String(at));
        times.push(await running.latency(write, (text) => text === String(at)));
      }
    }
    return new Map(all.map(({ contestant, running, times }) => [contestant, [quantiles(times), memory(running.program.pid)]]));
  } finally {
    for (const { running } of all) await running[Symbol.asyncDispose]();
  }
}

/** A Consul whose services are registered in one way. */
interface Catalog {
  readonly consul: TestConsul;
  readonly register: (at: number, port: number) => Promise<unknown>;
}

/** All services on the agent's own node, which is the most that a node's answer can hold. */
function ofOneNode(consul: TestConsul): Catalog {
  return {
    consul,
    register: async (at, port) => {
      const check = { CheckID: `c${at}`, TTL: '3600s', Status: 'passing' };
      await consul.ask('PUT', '/v1/agent/service/register', {
        Name: `s${at}`,
        ID: `s${at}`,
        Address: '10.0.0.1',
        Port: port,
        Check: check,
      });
    },
  };
}

function ofTenNodes(consul: TestConsul): Catalog {
  return {
    consul,
    register: async (at, port) => {
      const [node, id] = [`n${at % 10}`, `s${at}`];
      const service = { Service: id, ID: id, Address: '10.0.0.1', Port: port };
      const check = { CheckID: `c${at}`, Name: id, ServiceID: id, Status: 'passing' };
      await consul.ask('PUT', '/v1/catalog/register', { Node: node, Address: '10.0.0.1', Service: service, Check: check });
    },
  };
}

async function registerFrom({ register }: Catalog, from: number, to: number): Promise<void> {
  const rest = Array.from({ length: to - from }, (_, at) => from + at)[Symbol.iterator]();
  const work = async () => {
    for (const at of rest) await register(at, 80);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

/** A short run's time without anything between, and what it asks for through a counting proxy. */
async function once(consul: TestConsul, contestant: Contestant): Promise<readonly string[]> {
  const times: number[] = [];
  for (let run = 0; run < ONCE_RUNS; run++) times.push(await onceOver(contestant, consul.url));
  await using proxy = await startConsulProxy(consul.httpPort);
  await onceOver(contestant, `http://127.0.0.1:${proxy.port}`);
  return [`${quantile(times, 0.5).toFixed(0)} ms, ${proxy.asked.length} requests, ${proxy.connections().most} connections at peak`];
}

async function onceOver(contestant: Contestant, url: string): Promise<number> {
  const begun = performance.now();
  await using running = await start(contestant, 'each', url, '-once');
  if ((await running.program.ended) !== 0) throw new Error(running.program.output());
  return performance.now() - begun;
}

let lastPort = 1_000;

/** A port that no service had before: the contestants share a Consul, and what one has changed is no change for the next. */
function newPort(): number {
  lastPort += 1;
  return lastPort;
}

async function changes({ register }: Catalog, running: Running, serviceOf: (at: number) => number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let at = 0; at < CHANGES; at++) {
    await wait(BETWEEN_MS);
    const port = newPort();
    const write = () => register(serviceOf(at), port);
    times.push(await running.latency(write, (text) => text.includes(`s${serviceOf(at)} 10.0.0.1:${port}\n`)));
  }
  return times;
}

/** A long run: what it holds, what a change costs, what it does when nothing changes. */
async function longRun(catalog: Catalog, contestant: Contestant, services: number, url: string, ...args: readonly string[]) {
  await using running = await start(contestant, 'each', url, ...args);
  await until(() => running.text().split('\n').length > services, 60_000, 'all services are in the file');
  await wait(SETTLE_MS);
  const { pid } = running.program;
  const costs = async (serviceOf: (at: number) => number) => {
    const before = cpuMs(pid);
    const times = await changes(catalog, running, serviceOf);
    return `${quantiles(times)}, ${((cpuMs(pid) - before) / CHANGES).toFixed(0)} ms of CPU`;
  };
  const same = await costs(() => 7);
  const other = await costs((at) => 20 + at);
  await wait(SETTLE_MS);
  const before = cpuMs(pid);
  await wait(IDLE_MS);
  const idle = `${(((cpuMs(pid) - before) / IDLE_MS) * 100).toFixed(1)} % CPU`;
  return { same, other, idle, memory: memory(pid) };
}

/** What only a proxy can count: requests and connections. */
async function counts(catalog: Catalog, contestant: Contestant, services: number) {
  await using proxy = await startConsulProxy(catalog.consul.httpPort);
  await using running = await start(contestant, 'each', `http://127.0.0.1:${proxy.port}`);
  await until(() => running.text().split('\n').length > services, 60_000, 'all services are in the file');
  await wait(SETTLE_MS);
  const idle = await asked(proxy, () => wait(IDLE_MS));
  const changed = await asked(proxy, () => changes(catalog, running, () => 7));
  const { open, most } = proxy.connections();
  return {
    idle: `${(idle / (IDLE_MS / 1_000)).toFixed(1)} requests a second`,
    requests: `${(changed / CHANGES).toFixed(1)} requests`,
    connections: `${open} (${most} at peak)`,
  };
}

async function asked(proxy: ConsulProxy, run: () => Promise<unknown>): Promise<number> {
  const before = proxy.asked.length;
  await run();
  return proxy.asked.length - before;
}

async function rowsAt(catalog: Catalog, services: number, recorded: readonly string[]): Promise<void> {
  const [ofOnce = '–', connections = '–', held = '–', change = '–', idle = '–'] = recorded;
  await rows([[`${services} services, \`-once\`, with the program's start`, ofOnce]], (one) => once(catalog.consul, one));
  await rows(
    [
      [`${services} services: open connections`, connections],
      [`${services} services: resident memory`, held],
      [`${services} services, one changes again and again (its port): p50 and p95`, change],
      [`${services} services, each time another one changes`, '–'],
      [`${services} services, nothing changes`, idle],
    ],
    async (one) => {
      const run = await longRun(catalog, one, services, catalog.consul.url);
      const counted = await counts(catalog, one, services);
      return [counted.connections, run.memory, `${run.same}, ${counted.requests}`, run.other, `${counted.idle}, ${run.idle}`];
    },
  );
  await rows(
    [[`${services} services: the list, the node and the service, asked of Consul and not read`, '–']],
    async () => [await tables(catalog.consul)],
    [TOOTS],
  );
}

/** What Consul takes to say which service changed, where it may not hold a request for each: no figure over few connections can be below. */
async function tables(consul: TestConsul): Promise<string> {
  const paths = ['/v1/catalog/services', '/v1/catalog/node/test', '/v1/health/service/s7'];
  const times: number[] = [];
  for (let run = 0; run < CHANGES; run++) {
    await wait(BETWEEN_MS);
    const begun = performance.now();
    for (const path of paths) await (await fetch(`${consul.url}${path}`)).arrayBuffer();
    times.push(performance.now() - begun);
  }
  return quantiles(times);
}

function quantiles(times: readonly number[]): string {
  return `${quantile(times, 0.5).toFixed(1)} and ${quantile(times, 0.95).toFixed(1)} ms`;
}

console.log(`load ${loadavg()[0]?.toFixed(1)} at the start${hasOther ? '' : '; no consul-template: its path goes into CONSUL_TEMPLATE'}`);
line('what', 'recorded', ...contestants.map(({ name }) => name));
lines.push(`|---|---|${contestants.map(() => '---').join('|')}|`);
await rows([['the floor: a Node that does nothing, its time and memory', '–']], async () => [await floor()], [TOOTS]);
await using consul = await startConsul({ https: true, config: MANY_CONNECTIONS });
const keys = await keyChanges(consul);
await rows(
  [
    ['KV change → file: p50 and p95', '4.4 and 8.1 ms'],
    ['the same: resident memory', '–'],
  ],
  async (one) => keys.get(one) ?? [],
);
line(
  'the same: a bare Node with one held query, that writes, syncs and renames',
  '–',
  ...contestants.map((one) => (one === TOOTS ? (keys.get(BARE_NODE)?.[0] ?? '–') : '–')),
);
const oneNode = ofOneNode(consul);
await registerFrom(oneNode, 0, 300);
await rowsAt(oneNode, 300, ['324 ms, 302 requests, 194 connections at peak', '302', '39 MiB', '7 ms; 2 requests', '0 requests a second']);
await rows(
  [
    ['300 services over HTTPS, one changes again and again', '–'],
    ['300 services over HTTPS, each time another one changes', '–'],
    ['300 services over HTTPS: resident memory', '–'],
  ],
  async (one) => {
    const { same, other, memory: held } = await longRun(oneNode, one, 300, consul.httpsUrl, '-consul-ssl-ca-cert', consul.caFile);
    return [same, other, held];
  },
  [TOOTS],
);
{
  await using spread = await startConsul({ config: MANY_CONNECTIONS });
  const tenNodes = ofTenNodes(spread);
  await registerFrom(tenNodes, 0, 300);
  await rows(
    [
      ['300 services on ten nodes, one changes again and again', '–'],
      ['300 services on ten nodes, each time another one changes', '–'],
    ],
    async (one) => {
      const { same, other } = await longRun(tenNodes, one, 300, spread.url);
      return [same, other];
    },
  );
}
await registerFrom(oneNode, 300, 1_000);
await rowsAt(oneNode, 1_000, []);
const page = `# The template engine

\`npm run build && node dist/bench/template.js\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)} at the end,
Consul in dev mode on the same machine, HTTP/1.1 where it does not say otherwise; requests and connections are counted by a proxy in a run of their own.
A template of one key; then one of all services and their instances. "Recorded" is consul-template 0.42.1 on a quiet machine with the same cores;
the other columns are of one run, and worth comparing with each other. Memory "of its own" leaves out the pages of the program's binary, which all
processes of it share: they are most of what a Node that does nothing has.

Where a Node program stays behind: Node itself takes its floor before a program's first word, which one that was compiled ahead does not have,
and 39 MiB of the resident memory are Node's own; what the program adds is less than consul-template's. Over HTTP/1.1 an agent holds too few requests
for each service to have one (decision 3): where each time another service changes, the list, all instances of each node and then the service are asked
for, which takes Consul alone what the row below says, while it answers all checks besides. Over HTTPS, and where one service changes again, only the
service is.

${lines.join('\n')}
`;
writeFileSync(join(PROJECT_FOLDER, 'bench/results/template.md'), page);
console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s, written to bench/results/template.md`);
