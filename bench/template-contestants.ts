import { readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../test/harness/free-port.ts';
import { PROJECT_FOLDER, type RunningProgram, startProgram } from '../test/harness/program.ts';
import { tempDir } from '../test/harness/temp-dir.ts';

/** A program that is measured: how it is started on a template, and how the two templates are written for it. */
export interface Contestant {
  readonly name: string;
  readonly command: (template: string, url: string, args: readonly string[]) => Promise<readonly string[]>;
  /** A template of the key `bench/NAME`. */
  readonly key: string;
  readonly each: string;
}

export const TOOTS: Contestant = {
  name: 'here',
  command: async (template, url, args) => [
    // As toots.sh starts it.
    ...['node', ...(args.includes('-once') ? [] : ['--max-semi-space-size=1']), join(PROJECT_FOLDER, 'dist/programs/templater.cjs')],
    ...['-consul-addr', url, '-api', `127.0.0.1:${await freePort()}`, '-template', template, '-log-level', 'warn', ...args],
  ],
  key: '{{ key("bench/here") }}',
  each: '{% for s in services() %}{% for i in service(s.name) %}{{ s.name }} {{ i.address }}:{{ i.port }}\n{% endfor %}{% endfor %}',
};

/** The least that a Node program can do for a key: one held query, its answer's value written, synced and renamed. */
const BARE = `
const { request, Agent } = require('node:http');
const { openSync, writeFileSync, fsyncSync, closeSync, renameSync } = require('node:fs');
const [url, , out] = process.argv.slice(1).flatMap((word) => word.startsWith('http') ? [word] : word.split(':'));
const agent = new Agent({ keepAlive: true });
let index = '';
const ask = () => request(url + '/v1/kv/bench/bare' + (index && '?index=' + index), { agent }, (answer) => {
  index = answer.headers['x-consul-index'];
  const chunks = [];
  answer.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
    const file = openSync(out + '.new', 'w');
    writeFileSync(file, Buffer.from(JSON.parse(Buffer.concat(chunks))[0].Value, 'base64'));
    fsyncSync(file);
    closeSync(file);
    renameSync(out + '.new', out);
    ask();
  });
}).end();
ask();`;

export const BARE_NODE: Contestant = {
  name: 'bare',
  command: async (template, url) => ['node', '-e', BARE, url, template],
  key: '',
  each: '',
};

export const CONSUL_TEMPLATE: Contestant = {
  name: 'consul-template',
  command: async (template, url, args) => [
    process.env['CONSUL_TEMPLATE'] ?? 'consul-template',
    ...['-consul-addr', url, '-template', template, '-log-level', 'warn', ...args],
  ],
  key: '{{ key "bench/consul-template" }}',
  each: '{{ range services }}{{ $n := .Name }}{{ range service .Name }}{{ $n }} {{ .Address }}:{{ .Port }}\n{{ end }}{{ end }}',
};

export interface Running extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly text: () => string;
  /** From the begin of the write to the file with it, milliseconds. @throws Error when it is not there within ten seconds. */
  readonly latency: (write: () => Promise<unknown>, isThere: (text: string) => boolean) => Promise<number>;
}

/** A contestant on one of the templates, at the agent of `url`. */
export async function start(contestant: Contestant, template: 'key' | 'each', url: string, ...args: readonly string[]): Promise<Running> {
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

/** User and system time so far, milliseconds, of the kernel's hundredths of a second. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory, and what of it is the process's own: the rest are pages of its binary, which all processes of it share. */
export function memory(pid: number): string {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mib = (field: string) => Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1]) / 1_024);
  return `${mib('Rss')} MiB, ${mib('Private_Dirty')} of its own`;
}
