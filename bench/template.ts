/**
 * Figures of the template engine on the work that consul-template was measured with: `npm run build && node dist/bench/template.js`.
 * With consul-template on PATH (or its path in CONSUL_TEMPLATE), both are measured in the same run.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, watch, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startConsul, type TestConsul } from '../test/harness/consul.ts';
import { putKey } from '../test/harness/consul-data.ts';
import { startConsulProxy } from '../test/harness/consul-proxy.ts';
import { freePort } from '../test/harness/free-port.ts';
import { PROJECT_FOLDER, type RunningProgram, startProgram } from '../test/harness/program.ts';
import { tempDir } from '../test/harness/temp-dir.ts';
import { until } from '../test/harness/until.ts';
import { quantile } from './quantiles.ts';

const KEY_CHANGES = 100;
const CHANGES = 15;
const BETWEEN_MS = 150;
const IDLE_MS = 5_000;
const ONCE_RUNS = 3;

/** A program that is measured: how it is started on a template, and how the two templates are written for it. */
interface Contestant {
  readonly name: string;
  readonly command: (template: string, url: string, args: readonly string[]) => Promise<readonly string[]>;
  readonly key: string;
  readonly each: string;
}

const TOOTS: Contestant = {
  name: 'here',
  command: async (template, url, args) => [
    ...['node', '--max-semi-space-size=2', join(PROJECT_FOLDER, 'dist/templater/main.js')],
    ...['-consul-addr', url, '-api', `127.0.0.1:${await freePort()}`, '-template', template, '-log-level', 'warn', ...args],
  ],
  key: '{{ key("bench/a") }}',
  each: '{% for s in services() %}{% for i in service(s.name) %}{{ s.name }} {{ i.address }}:{{ i.port }}\n{% endfor %}{% endfor %}',
};

const CONSUL_TEMPLATE: Contestant = {
  name: 'consul-template',
  command: async (template, url, args) => [
    process.env['CONSUL_TEMPLATE'] ?? 'consul-template',
    ...['-consul-addr', url, '-template', template, '-log-level', 'warn', ...args],
  ],
  key: '{{ key "bench/a" }}',
  each: '{{ range services }}{{ $n := .Name }}{{ range service .Name }}{{ $n }} {{ .Address }}:{{ .Port }}\n{{ end }}{{ end }}',
};

interface Running extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly text: () => string;
  /** From the begin of the write to the file with it, milliseconds. */
  readonly latency: (write: () => Promise<unknown>, isThere: (text: string) => boolean) => Promise<number>;
}

async function start(contestant: Contestant, template: 'key' | 'each', url: string, ...args: readonly string[]): Promise<Running> {
  const folder = await tempDir();
  const [source, out] = [join(folder.path, 't'), join(folder.path, 'out')];
  writeFileSync(source, contestant[template]);
  const [file = '', ...words] = await contestant.command(`${source}:${out}`, url, args);
  const program = await startProgram(file, words);
  const text = () => {
    try {
      return readFileSync(out, 'utf8');
    } catch {
      return '';
    }
  };
  return {
    program,
    text,
    latency: async (write, isThere) => {
      const startedAt = performance.now();
      const seen = new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no change in ${out}: ${program.output()}`)), 10_000);
        const changes = watch(folder.path, () => {
          if (!isThere(text())) return;
          clearTimeout(late);
          changes.close();
          resolve();
        });
      });
      const written = write();
      await seen;
      const tookMs = performance.now() - startedAt;
      await written;
      return tookMs;
    },
    [Symbol.asyncDispose]: async () => {
      await program.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function keyChanges(consul: TestConsul, contestant: Contestant): Promise<string> {
  await putKey(consul, 'bench/a', 'start');
  await using running = await start(contestant, 'key', consul.url);
  await until(() => running.text() === 'start', 20_000, 'the first file');
  const times: number[] = [];
  for (let at = 0; at < KEY_CHANGES; at++) {
    await wait(50);
    times.push(
      await running.latency(
        () => putKey(consul, 'bench/a', String(at)),
        (text) => text === String(at),
      ),
    );
  }
  return `${quantiles(times)}, ${residentMib(running.program.pid)} MiB`;
}

async function register(consul: TestConsul, at: number, port: number): Promise<void> {
  const check = { CheckID: `c${at}`, TTL: '3600s', Status: 'passing' };
  await consul.ask('PUT', '/v1/agent/service/register', { Name: `s${at}`, ID: `s${at}`, Address: '10.0.0.1', Port: port, Check: check });
}

/** A short run's time without anything between, and what it asks for through a counting proxy. */
async function once(consul: TestConsul, contestant: Contestant): Promise<string> {
  const times: number[] = [];
  for (let run = 0; run < ONCE_RUNS; run++) times.push(await onceOver(contestant, consul.url));
  await using proxy = await startConsulProxy(consul.httpPort);
  await onceOver(contestant, `http://127.0.0.1:${proxy.port}`);
  return `${quantile(times, 0.5).toFixed(0)} ms, ${proxy.asked.length} requests, ${proxy.connections().most} connections at peak`;
}

async function onceOver(contestant: Contestant, url: string): Promise<number> {
  const startedAt = performance.now();
  await using running = await start(contestant, 'each', url, '-once');
  if ((await running.program.ended) !== 0) throw new Error(running.program.output());
  return performance.now() - startedAt;
}

/** Rows of a long run: what it holds, what a change costs, what it does when nothing changes. */
let lastPort = 1_000;

/** A port that no service had before: the contestants share a Consul, and what one has changed is no change for the next. */
function newPort(): number {
  lastPort += 1;
  return lastPort;
}

async function longRun(consul: TestConsul, contestant: Contestant, services: number, url: string, ...args: readonly string[]) {
  await using running = await start(contestant, 'each', url, ...args);
  await until(() => running.text().split('\n').length > services, 60_000, 'all services are in the file');
  await wait(3_000);
  const cpuBefore = ownCpuMs(running.program.pid);
  await wait(IDLE_MS);
  const idle = `${(((ownCpuMs(running.program.pid) - cpuBefore) / IDLE_MS) * 100).toFixed(2)} %`;
  const changes = async (serviceOf: (at: number) => number) => {
    const [times, cpu] = [[] as number[], ownCpuMs(running.program.pid)];
    for (let at = 0; at < CHANGES; at++) {
      await wait(BETWEEN_MS);
      const port = newPort();
      times.push(
        await running.latency(
          () => register(consul, serviceOf(at), port),
          (text) => text.includes(`s${serviceOf(at)} 10.0.0.1:${port}\n`),
        ),
      );
    }
    return `${quantiles(times)}, ${((ownCpuMs(running.program.pid) - cpu) / CHANGES).toFixed(0)} ms of CPU`;
  };
  const same = await changes(() => 7);
  const other = await changes((at) => 20 + at);
  return { idle, same, other, memory: `${residentMib(running.program.pid)} MiB` };
}

/** Requests of one change, connections, and requests when nothing changes, counted by a proxy. */
async function counts(consul: TestConsul, contestant: Contestant, services: number) {
  await using proxy = await startConsulProxy(consul.httpPort);
  await using running = await start(contestant, 'each', `http://127.0.0.1:${proxy.port}`);
  await until(() => running.text().split('\n').length > services, 60_000, 'all services are in the file');
  await wait(3_000);
  const before = proxy.asked.length;
  await wait(IDLE_MS);
  const idle = ((proxy.asked.length - before) / (IDLE_MS / 1_000)).toFixed(2);
  const changed = proxy.asked.length;
  for (let at = 0; at < CHANGES; at++) {
    await wait(BETWEEN_MS);
    const port = newPort();
    await running.latency(
      () => register(consul, 7, port),
      (text) => text.includes(`:${port}\n`),
    );
  }
  const { open, most } = proxy.connections();
  return { requests: ((proxy.asked.length - changed) / CHANGES).toFixed(1), idle, connections: `${open} (${most} at peak)` };
}

function quantiles(times: readonly number[]): string {
  return `${quantile(times, 0.5).toFixed(1)} and ${quantile(times, 0.95).toFixed(1)} ms`;
}

/** User and system time so far, of the kernel's hundredths of a second. */
function ownCpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function residentMib(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024);
}

type Row = readonly [what: string, recorded: string, ...values: readonly string[]];

/** One row for what each contestant answers; a contestant that is not there has none. */
async function row(what: string, recorded: string, measure: (contestant: Contestant) => Promise<string>): Promise<Row> {
  const values: string[] = [];
  for (const contestant of contestants) values.push(await measure(contestant));
  return [what, recorded, ...values];
}

async function rowsAt(consul: TestConsul, services: number, recorded: readonly string[]): Promise<readonly Row[]> {
  const onceRow = await row(`${services} services, \`-once\`, with the program's start`, recorded[0] ?? '–', (one) => once(consul, one));
  const runs: Awaited<ReturnType<typeof longRun>>[] = [];
  const counted: Awaited<ReturnType<typeof counts>>[] = [];
  for (const contestant of contestants) {
    runs.push(await longRun(consul, contestant, services, consul.url));
    counted.push(await counts(consul, contestant, services));
  }
  return [
    onceRow,
    [`${services} services: open connections`, recorded[1] ?? '–', ...counted.map(({ connections }) => connections)],
    [`${services} services: resident memory`, recorded[2] ?? '–', ...runs.map(({ memory }) => memory)],
    [
      `${services} services, one changes again and again (its port): p50 and p95; requests of a change`,
      recorded[3] ?? '–',
      ...runs.map(({ same }, at) => `${same}; ${counted[at]?.requests}`),
    ],
    [`${services} services, each time another one changes`, '–', ...runs.map(({ other }) => other)],
    [
      `${services} services, nothing changes: requests a second, CPU`,
      recorded[4] ?? '–',
      ...runs.map(({ idle }, at) => `${counted[at]?.idle}, ${idle}`),
    ],
  ];
}

const isThere = spawnSync(process.env['CONSUL_TEMPLATE'] ?? 'consul-template', ['-v']).status === 0;
const contestants: readonly Contestant[] = isThere ? [CONSUL_TEMPLATE, TOOTS] : [TOOTS];
// An agent allows 200 connections a client; consul-template needs more.
await using consul = await startConsul({ https: true, config: { limits: { http_max_conns_per_client: 5_000 } } });
const rows: Row[] = [await row('KV change → file: p50 and p95; resident memory', '4.4 and 8.1 ms', (one) => keyChanges(consul, one))];
for (let at = 0; at < 300; at++) await register(consul, at, 80);
rows.push(...(await rowsAt(consul, 300, ['324 ms, 302 requests, 194 connections at peak', '302', '39 MiB', '7 ms; 2', '0'])));
const https = await longRun(consul, TOOTS, 300, consul.httpsUrl, '-consul-ssl-ca-cert', consul.caFile);
const none = contestants.slice(1).map(() => '–');
rows.push(['300 services over HTTPS, one changes again and again', '–', ...none, https.same]);
rows.push(['300 services over HTTPS, each time another one changes; resident memory', '–', ...none, `${https.other}; ${https.memory}`]);
for (let at = 300; at < 1_000; at++) await register(consul, at, 80);
rows.push(...(await rowsAt(consul, 1_000, [])));
const page = `# The template engine

\`npm run build && node dist/bench/template.js\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)} at the end,
Consul in dev mode on the same machine, HTTP/1.1 where it does not say otherwise; requests and connections are counted by a proxy in a run of their own.
A template of one key; then one of all services and their instances. "Recorded" is consul-template 0.42.1 on a quiet machine with the same cores;
the other columns are of one run, and worth comparing with each other.

| what | recorded | ${contestants.map(({ name }) => name).join(' | ')} |
|---|---|${contestants.map(() => '---').join('|')}|
${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`;
writeFileSync(join(PROJECT_FOLDER, 'bench/results/template.md'), page);
console.log(page);
