/** Figures of the template engine on the work that consul-template was measured with: `npm run build && node dist/bench/template.js`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startConsul, type TestConsul } from '../test/harness/consul.ts';
import { putKey } from '../test/harness/consul-data.ts';
import { type ConsulProxy, startConsulProxy } from '../test/harness/consul-proxy.ts';
import { freePort } from '../test/harness/free-port.ts';
import { PROJECT_FOLDER, type RunningProgram, startProgram } from '../test/harness/program.ts';
import { tempDir } from '../test/harness/temp-dir.ts';
import { until } from '../test/harness/until.ts';

const CHANGES = 100;
const IDLE_MS = 20_000;
const EACH = '{% for s in services() %}{% for i in service(s.name) %}{{ s.name }} {{ i.address }}:{{ i.port }}\n{% endfor %}{% endfor %}';

interface Row {
  readonly what: string;
  readonly consulTemplate: string;
  readonly here: string;
}

/** Starts the templater as a program of its own, on a template of this text. */
async function templater(
  folder: string,
  port: number,
  text: string,
  ...args: readonly string[]
): Promise<RunningProgram & { readonly api: string }> {
  writeFileSync(join(folder, 't.njk'), text);
  const api = `127.0.0.1:${await freePort()}`;
  const main = join(PROJECT_FOLDER, 'dist/templater/main.js');
  const words = [
    '-consul-addr',
    `127.0.0.1:${port}`,
    '-api',
    api,
    '-template',
    `${join(folder, 't.njk')}:${join(folder, 'out')}`,
    '-log-level',
    'warn',
  ];
  return { ...(await startProgram('node', [main, ...words, ...args])), api };
}

/** From the begin of the write to the file with it, milliseconds. */
async function latency(write: () => Promise<void>, file: string, isThere: (text: string) => boolean): Promise<number> {
  const startedAt = performance.now();
  const written = write();
  while (!isThere(await readFile(file, 'utf8').catch(() => ''))) {
    if (performance.now() - startedAt > 10_000) throw new Error(`no change in ${file}`);
  }
  const tookMs = performance.now() - startedAt;
  await written;
  return tookMs;
}

async function keyLatency(consul: TestConsul): Promise<readonly Row[]> {
  await using folder = await tempDir();
  await putKey(consul, 'bench/a', 'start');
  await using _ = await templater(folder.path, consul.httpPort, '{{ key("bench/a") }}');
  const out = join(folder.path, 'out');
  await until(async () => (await readFile(out, 'utf8')) === 'start', 20_000, 'the first file');
  const times: number[] = [];
  for (let at = 0; at < CHANGES; at++) {
    await wait(50);
    times.push(
      await latency(
        () => putKey(consul, 'bench/a', String(at)),
        out,
        (text) => text === String(at),
      ),
    );
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => `${(times[Math.floor(times.length * share)] ?? 0).toFixed(1)} ms`;
  return [{ what: `KV change → file, p50 and p95 of ${CHANGES}`, consulTemplate: '4.4 and 8.1 ms', here: `${at(0.5)} and ${at(0.95)}` }];
}

async function register(consul: TestConsul, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at++) await registerOne(consul, at, 80);
}

async function registerOne(consul: TestConsul, at: number, port: number): Promise<void> {
  const check = { CheckID: `c${at}`, TTL: '3600s', Status: 'passing' };
  await consul.ask('PUT', '/v1/agent/service/register', { Name: `s${at}`, ID: `s${at}`, Address: '10.0.0.1', Port: port, Check: check });
}

async function onceOver(consul: TestConsul, services: number): Promise<readonly Row[]> {
  await using folder = await tempDir();
  await using proxy = await startConsulProxy(consul.httpPort);
  const startedAt = performance.now();
  const program = await templater(folder.path, proxy.port, EACH, '-once');
  const code = await program.ended;
  const tookMs = performance.now() - startedAt;
  if (code !== 0) throw new Error(program.output());
  return [
    {
      what: `${services} services, -once: time with the program's start, requests, connections at peak`,
      consulTemplate: services === 300 ? '324 ms, 302, 194' : '–',
      here: `${tookMs.toFixed(0)} ms, ${proxy.asked.length}, ${proxy.connections().most}`,
    },
  ];
}

async function longRunning(consul: TestConsul, services: number): Promise<readonly Row[]> {
  await using folder = await tempDir();
  await using proxy = await startConsulProxy(consul.httpPort);
  await using program = await templater(folder.path, proxy.port, EACH);
  const out = join(folder.path, 'out');
  await until(async () => (await readFile(out, 'utf8')).split('\n').length > services, 60_000, 'all services are in the file');
  await wait(3_000);
  const idle = await during(program, proxy, () => wait(IDLE_MS));
  const before = await renders(program.api);
  const times: number[] = [];
  const changes = await during(program, proxy, async () => {
    for (let at = 0; at < 20; at++) {
      await wait(200);
      times.push(
        await latency(
          () => registerOne(consul, 7, 1_000 + at),
          out,
          (text) => text.includes(`:${1_000 + at}\n`),
        ),
      );
    }
  });
  times.sort((a, b) => a - b);
  const rendered = (await renders(program.api)) - before;
  return [
    {
      what: `${services} services, long-running: open connections, resident memory`,
      consulTemplate: services === 300 ? '302, 39 MiB' : '–',
      here: `${proxy.connections().open} (${proxy.connections().most} at peak), ${residentMib(program.pid)} MiB`,
    },
    {
      what: `${services} services, one changes (its port): p50, requests, renders and own CPU of a change`,
      consulTemplate: services === 300 ? '7 ms, 2 requests' : '–',
      here: `${(times[10] ?? 0).toFixed(0)} ms, ${(changes.requests / 20).toFixed(1)}, ${(rendered / 20).toFixed(1)}, ${(changes.cpuMs / 20).toFixed(0)} ms`,
    },
    {
      what: `${services} services, idle for ${IDLE_MS / 1_000} s: requests a second, CPU`,
      consulTemplate: '0',
      here: `${(idle.requests / (IDLE_MS / 1_000)).toFixed(2)}, ${((idle.cpuMs / IDLE_MS) * 100).toFixed(2)} %`,
    },
  ];
}

async function during(
  program: RunningProgram,
  proxy: ConsulProxy,
  run: () => Promise<void>,
): Promise<{ readonly requests: number; readonly cpuMs: number }> {
  const [requests, cpuMs] = [proxy.asked.length, ownCpuMs(program.pid)];
  await run();
  return { requests: proxy.asked.length - requests, cpuMs: ownCpuMs(program.pid) - cpuMs };
}

async function renders(api: string): Promise<number> {
  const text = await (await fetch(`http://${api}/metrics`)).text();
  return Number(/^toots_template_renders_total\{.*\} (\d+)$/m.exec(text)?.[1]);
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

await using consul = await startConsul();
const rows: Row[] = [...(await keyLatency(consul))];
await register(consul, 0, 300);
rows.push(...(await onceOver(consul, 300)), ...(await longRunning(consul, 300)));
await register(consul, 300, 1_000);
rows.push(...(await onceOver(consul, 1_000)), ...(await longRunning(consul, 1_000)));
const page = `# The template engine

\`npm run build && node dist/bench/template.js\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)},
Consul in dev mode on the same machine, HTTP/1.1 through a counting proxy except in the first row. A template of one key; then one of all services and their
instances. consul-template is 0.42.1, measured on a quiet machine with the same cores.

| what | consul-template | here |
|---|---|---|
${rows.map(({ what, consulTemplate, here }) => `| ${what} | ${consulTemplate} | ${here} |`).join('\n')}
`;
writeFileSync(join(PROJECT_FOLDER, 'bench/results/template.md'), page);
console.log(page);
