/**
 * What the look-up of a host costs HAProxy, at one and at five thousand services, and what instances that die cost requests.
 *   npm run build && node dist/bench/options.js     prints, and writes bench/results/options.md
 * consul and haproxy (or that of TOOTS_HAPROXY) on this machine, which should do nothing else. A minute and a half.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readSettings } from '../daemon/settings.ts';
import type { Instance } from '../model/instance.ts';
import { createPlanner } from '../model/plan-edge.ts';
import { prepareRunDir } from '../templater/haproxy/config-files.ts';
import { edgeFiles, edgeSettings } from '../templater/haproxy/edge-settings.ts';
import { readFeatures } from '../templater/haproxy/haproxy-binary.ts';
import { createRenderer } from '../templater/haproxy/render.ts';
import { startEdgeWorld } from '../test/harness/edge-world.ts';
import { startFleet } from '../test/harness/fleet.ts';
import { freePorts } from '../test/harness/free-port.ts';
import { askSocket } from '../test/harness/haproxy.ts';
import { startLoad } from '../test/harness/load.ts';
import { PROJECT_FOLDER, startProgram } from '../test/harness/program.ts';
import { usageOf } from '../test/harness/registrator.ts';
import { request } from '../test/harness/request.ts';
import { tempDir } from '../test/harness/temp-dir.ts';
import { until } from '../test/harness/until.ts';
import { quantiles } from './quantiles.ts';

const HAPROXY = process.env['TOOTS_HAPROXY'] ?? 'haproxy';
const LOAD_MS = 3_000;

const loadBefore = (loadavg()[0] ?? 0).toFixed(1);
const rows: string[] = [];
const report = (what: string, result: string) => {
  rows.push(`| ${what} | ${result} |`);
  console.log(`${what}: ${result}`);
};

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

async function lookUps(services: number): Promise<void> {
  await using folder = await tempDir();
  await using fleet = startFleet();
  const instance = await fleet.add({ service: 'all', id: 'a' });
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
  await using haproxy = await startProgram(HAPROXY, ['-W', '-db', '-f', files.config]);
  const isUp = async () => (await request({ port: http, host: 's0.service' }).catch(() => undefined))?.kind === 'answer';
  await until(isUp, 30_000, `HAProxy answers: ${haproxy.output()}`);
  const pid = Number(/^Pid: (\d+)$/m.exec(await askSocket(files.runtimeSocket, 'show info'))?.[1]);
  const last = services - 1;
  for (const [what, host, path] of [
    ['a service’s own host', `s${last}.service`, '/'],
    ['a vhost', `h${last}.example.com`, '/'],
    ['a path of a vhost', `h${last}.example.com`, '/api/x'],
    ['a wildcard host', `a.b.w${last}.example.org`, '/'],
    ['a path on any host', 'any.where.example.net', `/path/${last}/x`],
  ] as const) {
    const load = startLoad({ port: http, host, path, clients: 8 });
    await wait(1_500); // until it is warm
    const [from, requestsFrom] = [await usageOf(pid), load.report().requests];
    await wait(LOAD_MS);
    const [to, requestsTo] = [await usageOf(pid), load.report().requests];
    const { failed } = await load.stop();
    const each = ((to.cpuMs - from.cpuMs) / (requestsTo - requestsFrom)) * 1_000;
    report(`${services} × 3 services, ${what}: HAProxy’s CPU of a request; failed`, `${each.toFixed(0)} µs; ${failed}`);
  }
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

for (const services of [1, 5_000]) await lookUps(services);
await deaths();
const text = [
  '# Options of the edge',
  '',
  `\`npm run build && node dist/bench/options.js\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores (load ${loadBefore} before it began),`,
  'HAProxy, instances and clients on the same machine.',
  '',
  '| what | result |',
  '|---|---|',
  ...rows,
  '',
].join('\n');
await writeFile(join(PROJECT_FOLDER, 'bench/results/options.md'), text);
