/**
 * What the look-up of a host costs HAProxy, at one and at thousands of hosts, and what instances that die cost requests.
 *   npm run build && node dist/bench/options.js [lookups] [deaths]     prints, and writes bench/results/options.md
 * consul, haproxy (or that of TOOTS_HAPROXY) and wrk on this machine, which should do nothing else. Two minutes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { readSettings } from '../daemon/settings.ts';
import type { Instance } from '../model/instance.ts';
import { createPlanner } from '../model/plan-edge.ts';
import { prepareRunDir } from '../templater/haproxy/config-files.ts';
import { edgeFiles, edgeSettings } from '../templater/haproxy/edge-settings.ts';
import { readFeatures } from '../templater/haproxy/haproxy-binary.ts';
import { createRenderer } from '../templater/haproxy/render.ts';
import { startEdgeWorld } from '../test/harness/edge-world.ts';
import { freePorts } from '../test/harness/free-port.ts';
import { askSocket, startHaproxy, type TestHaproxy } from '../test/harness/haproxy.ts';
import { createOwned } from '../test/harness/owned.ts';
import { startProgram } from '../test/harness/program.ts';
import { request } from '../test/harness/request.ts';
import { tempDir } from '../test/harness/temp-dir.ts';
import { until } from '../test/harness/until.ts';
import { quantile, quantiles } from './quantiles.ts';
import { createReport } from './report.ts';

const HAPROXY = process.env['TOOTS_HAPROXY'] ?? 'haproxy';
const CONNECTIONS = 32;
/** Each size is measured this often, in turn with the others, so that a moment of the machine is not one size's. */
const TIMES = 8;
const LOAD_S = 1;
const SIZES = [1, 5_000];

const { row: report, write } = createReport('options', 'Options of the edge');

/** Every service has a host, a path of a host, a wildcard host and a path; all lead to one instance. */
function catalogOf(services: number, { address, port }: { readonly address: string; readonly port: number }) {
  const instance = (service: string, id: string, tags: readonly string[]): Instance => ({
    service,
    id,
    node: 'n',
    address,
    port,
    tags,
    meta: {},
    health: 'passing',
    nodeLost: false,
  });
  const all = Array.from({ length: services }, (_, i) => [
    [`s${i}`, [instance(`s${i}`, 'a', [`haproxy_vhost=h${i}.example.com`, `haproxy_vhost=*.w${i}.example.org`])]] as const,
    [`p${i}`, [instance(`p${i}`, 'a', [`haproxy_vhost=h${i}.example.com`, 'haproxy_route=/api'])]] as const,
    [`r${i}`, [instance(`r${i}`, 'a', [`haproxy_route=/path/${i}`])]] as const,
  ]).flat();
  return { services: new Map(all), datacenters: ['dc1'], keys: new Map<string, string>() };
}

/** Somebody who is asked: over HTTP at a port, by a process whose CPU is told. */
interface Asked {
  readonly port: number;
  readonly pid: number;
}

/** An edge of so many services of each kind, as HAProxy alone. */
async function startLookUps(
  services: number,
  instance: { readonly address: string; readonly port: number },
): Promise<Asked & AsyncDisposable> {
  const owned = createOwned();
  const folder = owned.use(await tempDir());
  const [http = 0, stats = 0] = await freePorts(2);
  const words = ['-run-dir', folder.path, '-haproxy', HAPROXY, '-bind', '127.0.0.1', '-http-port', `${http}`, '-stats-port', `${stats}`];
  const parsed = readSettings({ name: 'bench', usage: '', about: '', options: edgeSettings }, words, {});
  if (parsed.kind !== 'settings') throw new Error(JSON.stringify(parsed));
  const files = edgeFiles(folder.path);
  await prepareRunDir(folder.path, files);
  const policy = { domain: 'consul', addedDomains: [], refusedPorts: new Map(), resolved: new Map() };
  const { plan } = createPlanner()(catalogOf(services, instance), policy, new Map());
  const rendered = createRenderer(parsed.settings, files, await readFeatures(HAPROXY, AbortSignal.timeout(10_000)))(plan);
  await writeFile(files.config, rendered.config());
  await writeFile(files.hostsMap, rendered.hostsMap);
  await writeFile(files.vhostsMap, rendered.vhostsMap);
  await writeFile(files.pathsMap, rendered.pathsMap);
  const haproxy = owned.use(await startProgram(HAPROXY, ['-W', '-db', '-f', files.config]));
  const isUp = async () => (await request({ port: http, host: 's0.service' }).catch(() => undefined))?.kind === 'answer';
  await until(isUp, 30_000, `HAProxy answers: ${haproxy.output()}`);
  return { port: http, pid: await workerOf(files.runtimeSocket), [Symbol.asyncDispose]: owned[Symbol.asyncDispose] };
}

async function workerOf(socket: string): Promise<number> {
  return Number(/^Pid: (\d+)$/m.exec(await askSocket(socket, 'show info'))?.[1]);
}

interface Rate {
  readonly aSecond: number;
  readonly cpuMicroseconds: number;
  readonly failed: number;
}

/** As many requests as can be, for a while. */
async function rateOf({ port, pid }: Asked, host: string, path: string): Promise<Rate> {
  const from = cpuNanoseconds(pid);
  const { stdout } = await execa('wrk', [
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${LOAD_S}s`,
    '-H',
    `Host: ${host}`,
    `http://127.0.0.1:${port}${path}`,
  ]);
  const to = cpuNanoseconds(pid);
  const found = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const requests = found(/(\d+) requests in/);
  const failed =
    found(/Non-2xx or 3xx responses: (\d+)/) +
    (stdout.match(/Socket errors: .*/)?.[0].match(/\d+/g) ?? []).map(Number).reduce((a, b) => a + b, 0);
  return { aSecond: found(/Requests\/sec:\s+([\d.]+)/), cpuMicroseconds: (to - from) / requests / 1_000, failed };
}

/** Of all its threads. */
function cpuNanoseconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((a, b) => a + b, 0);
}

/** Answers every request at once, with far less work than an edge has: what is measured is the edge. */
async function startAnswers(port: number): Promise<TestHaproxy> {
  const answer = 'http-request return status 200 content-type text/plain string "ok"';
  return await startHaproxy(`frontend answers\n  bind 127.0.0.1:${port}\n  ${answer}`);
}

async function lookUps(): Promise<void> {
  await using owned = createOwned();
  const [answers = 0, bare = 0] = await freePorts(2);
  owned.use(await startAnswers(answers));
  const rule = `frontend bare\n  bind 127.0.0.1:${bare}\n  default_backend one\nbackend one\n  server a 127.0.0.1:${answers}`;
  const plain = owned.use(await startHaproxy(rule, { binary: HAPROXY }));
  const edges: (Asked & { readonly services: number })[] = [];
  for (const services of SIZES) {
    const edge = owned.use(await startLookUps(services, { address: '127.0.0.1', port: answers }));
    edges.push({ services, port: edge.port, pid: edge.pid });
  }
  const contestants = [{ name: 'a HAProxy of one rule and no more', port: bare, pid: await workerOf(plain.socket), services: 1 }, ...edges];
  for (const [what, hostOf, pathOf] of [
    ['a service’s own host', (last: number) => `s${last}.service`, () => '/'],
    ['a vhost', (last: number) => `h${last}.example.com`, () => '/'],
    ['a path of a vhost', (last: number) => `h${last}.example.com`, () => '/api/x'],
    ['a wildcard host', (last: number) => `a.b.w${last}.example.org`, () => '/'],
    ['a path on any host', () => 'any.where.example.net', (last: number) => `/path/${last}/x`],
  ] as const) {
    const rates = contestants.map((): Rate[] => []);
    const asked = what === 'a service’s own host' ? contestants : contestants.slice(1);
    for (let time = 0; time < TIMES; time += 1) {
      for (const one of asked) {
        const last = one.services - 1;
        rates[contestants.indexOf(one)]?.push(await rateOf(one, hostOf(last), pathOf(last)));
      }
    }
    const first = rates[1] ?? [];
    for (const one of asked) {
      const own = rates[contestants.indexOf(one)] ?? [];
      // Each time by what was measured right beside it: the machine is the same for both.
      const share = (value: (rate: Rate) => number) => median(own.map((rate, i) => value(rate) / value(first[i] ?? rate)));
      const name = 'name' in one ? one.name : `${one.services} × 3 services, ${what}`;
      const cpu = median(own.map(({ cpuMicroseconds }) => cpuMicroseconds)).toFixed(1);
      report(
        `${name}: requests a second, of those with 1 × 3 beside it; HAProxy’s CPU of a request, of that with 1 × 3; failed`,
        `${Math.round(median(own.map(({ aSecond }) => aSecond)))}, ${percent(share(({ aSecond }) => aSecond))}; ${cpu} µs, ${percent(share(({ cpuMicroseconds }) => cpuMicroseconds))}; ${own.reduce((sum, { failed }) => sum + failed, 0)}`,
      );
    }
  }
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

async function deaths(): Promise<void> {
  await using world = await startEdgeWorld();
  const { bind, ports } = world.edge;
  const all = [];
  for (let i = 0; i < 20; i += 1) all.push(await world.serve('herd', `i${i}`, ['haproxy']));
  await world.isAnswered('herd.service', /^herd\//);
  const took: number[] = [];
  let failed = 0;
  const client = async (requests: number) => {
    for (let i = 0; i < requests; i += 1) {
      const start = performance.now();
      const answer = await request({ address: bind, port: ports.http, host: 'herd.service' });
      took.push(performance.now() - start);
      if (answer.kind === 'error' || answer.status !== 200) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, () => client(100)));
  report('20 instances: a request', quantiles(took.splice(0)));
  await Promise.all(all.slice(0, 10).map(({ instance }) => instance.stop()));
  await Promise.all(Array.from({ length: 8 }, () => client(250)));
  report('10 of the 20 killed, Consul calls them passing: a request from then on; failed of 2000', `${quantiles(took)}; ${failed}`);

  const { instance } = await world.serve('only', 'a', ['haproxy']);
  await world.isAnswered('only.service', 'only/a');
  await instance.stop();
  const refused: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    const start = performance.now();
    await world.ask('only.service');
    refused.push(performance.now() - start);
  }
  report('the only instance killed: the first 503, the others', `${(refused.shift() ?? 0).toFixed(0)} ms, ${quantiles(refused)}`);
  const start = performance.now();
  await world.fleet.add({ service: 'only', id: 'a', address: instance.address, port: instance.port });
  await world.isAnswered('only.service', 'only/a');
  report('it listens again, nothing is told to Consul: until it answers', `${(performance.now() - start).toFixed(0)} ms`);
}

const ALL = ['lookups', 'deaths'];
const parts = process.argv.length > 2 ? process.argv.slice(2) : ALL;
if (parts.includes('lookups')) await lookUps();
if (parts.includes('deaths')) await deaths();
await write(
  [
    `HAProxy, instances and clients on the same machine. Look-ups by wrk on ${CONNECTIONS} kept connections, ${TIMES} times ${LOAD_S} s each in turn, the median, and the median of what is said of its neighbour; the instance`,
    'is a HAProxy that answers by itself.',
    '',
    'fabio and Traefik are in no Debian, so they cannot be run beside it. On the machine where all were compared, at 500 hosts and 32 connections, a HAProxy that',
    'consul-template had configured did 16.5 k/s, fabio 10.4 k/s and Traefik 14.1 k/s: 1.6 and 1.2 times as many. The row of a HAProxy of one rule says what this',
    'machine allows at most; what the edge does of that, times these ratios, is what can be said of the two.',
  ],
  parts !== ALL,
);
