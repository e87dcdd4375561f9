import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { docker, startContainer } from '../harness/docker.ts';
import { type RunningProgram, startToots } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

/** Its last part names the containers, so it is another for each test. */
const runDirIn = (folder: string) => join(folder, `demo-${basename(folder)}`);

/** How long a demo may take to come up and to go, on a slow machine, milliseconds. */
const BUDGET_MS = 90_000;

/** What a demo writes down about itself. */
const stateFile = v.object({
  supervisor: v.object({ pid: v.number() }),
  programs: v.record(v.string(), v.object({ pid: v.number() })),
  ports: v.record(v.string(), v.number()),
});

async function readState(runDir: string): Promise<v.InferOutput<typeof stateFile>> {
  return v.parse(stateFile, JSON.parse(await readFile(`${runDir}/demo.json`, 'utf8')));
}

const isReady = (output: string) => output.includes('Ctrl-C takes everything down');

/** Everything of a demo that can be found from outside: processes with its folder in their words, containers with its label. */
async function leftOver(runDir: string): Promise<readonly string[]> {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readText(`/proc/${pid}/cmdline`).split('\0').join(' '))
    .filter((words) => words.includes(`${runDir}/`));
  const containers = (await docker('ps', '-aq', '--filter', `label=toots.demo=${runDir}`)).split('\n').filter((id) => id !== '');
  return [...processes, ...containers];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // a process that has just ended
  }
}

async function ended(program: RunningProgram): Promise<{ readonly code: number | string; readonly output: string }> {
  const code = await program.ended;
  return { code, output: program.output() };
}

test(
  'demo --check brings everything up, sees it answer, and leaves nothing behind',
  async () => {
    await using folder = await tempDir();
    const runDir = runDirIn(folder.path);
    await using demo = await startToots(['demo', '--check', '--run-dir', runDir]);

    const { code, output } = await ended(demo);

    expect(output).toMatch(
      /A service by its name\n.*curl -H 'Host: python.service.consul' http:\/\/127.0.0.1.*\n.*→ python-(stable|canary) on /,
    );
    expect(output).toMatch(/→ greeter on \S+ heard: hello/);
    expect(output).toMatch(/dig \+short -p \d+ @127.0.0.1 python.service.consul SRV\n.*→ 1 100 \d+/);
    expect(output).toMatch(/python-stable 19\d, python-canary \d/);
    expect(code).toBe(0);
    expect(await leftOver(runDir)).toEqual([]);
    await expect(readFile(`${runDir}/demo.json`)).rejects.toThrow('ENOENT');
  },
  BUDGET_MS,
);

test(
  'a busy port is named with its holder, and another one serves',
  async () => {
    await using folder = await tempDir();
    const runDir = runDirIn(folder.path);
    const holder = createServer().listen(81, '127.0.0.1');
    await Promise.race([once(holder, 'listening'), once(holder, 'error')]); // somebody else’s is as good
    await using demo = await startToots(['demo', '--run-dir', runDir]);
    await until(() => isReady(demo.output()) || demo.hasEnded(), BUDGET_MS, 'the demo is up');

    const { ports } = await readState(runDir);
    expect(demo.output()).toMatch(new RegExp(`port 81 is taken by .+ \\(pid \\d+\\): the HAProxy page is on ${ports['stats']}\n`));
    expect(await (await fetch(`http://127.0.0.1:${ports['stats']}/`)).text()).toContain('Statistics Report');

    demo.signal('SIGINT');
    expect((await ended(demo)).code).toBe(0);
    expect(await leftOver(runDir)).toEqual([]);
    expect(holder.listening).toBe(true);
    holder.close();
  },
  BUDGET_MS,
);

test(
  'Ctrl-C takes down what the demo started and nothing else; a program that dies is started again meanwhile',
  async () => {
    await using folder = await tempDir();
    const runDir = runDirIn(folder.path);
    await using bystander = await startContainer({ labels: { 'toots.demo': '/another/demo' } });
    await using demo = await startToots(['demo', '--run-dir', runDir]);
    await until(() => isReady(demo.output()) || demo.hasEnded(), BUDGET_MS, 'the demo is up');
    await using second = await startToots(['demo', '--run-dir', runDir]);
    expect(await ended(second)).toMatchObject({ code: 1, output: expect.stringContaining('one runs already') });

    const registrator = async () => (await readState(runDir)).programs['registrator']?.pid ?? 0;
    const first = await registrator();
    process.kill(first, 'SIGKILL');
    await until(async () => (await registrator()) !== first, 10_000, 'another registrator');
    expect(demo.output()).toContain('registrator ended (killed by SIGKILL), again in 0.5 s');

    demo.signal('SIGINT');
    const { code, output } = await ended(demo);
    expect(output).toMatch(/Taking the demo down: 4 containers, haproxy, /);
    expect(code).toBe(0);
    expect(await leftOver(runDir)).toEqual([]);
    expect(await docker('inspect', '-f', '{{.State.Running}}', bystander.id)).toBe('true');
  },
  BUDGET_MS,
);

test(
  'a detached demo runs on; status shows it, down ends it, also when its supervisor was killed',
  async () => {
    await using folder = await tempDir();
    const runDir = runDirIn(folder.path);
    const toots = async (...args: readonly string[]) => ended(await startToots([...args, '--run-dir', runDir]));
    expect(await toots('status')).toMatchObject({ code: 1, output: expect.stringContaining('No demo runs here') });

    const { code, output } = await toots('demo', '--detach');
    expect(output).toContain('It runs in the background');
    expect(code).toBe(0);
    for (const [, words = ''] of output.matchAll(/^ {4}\.\/toots\.sh (.*?) {2}/gm)) {
      expect([words, (await ended(await startToots(words.trim().split(' ')))).code]).toEqual([words, 0]);
    }
    expect(await toots('status')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/registrator +pid \d+\n.*-python-stable +Up/s),
    });
    expect(await toots('demo', '--detach')).toMatchObject({ code: 1, output: expect.stringContaining('one runs already') });

    const { supervisor } = await readState(runDir);
    process.kill(supervisor.pid, 'SIGKILL');
    await until(() => readText(`/proc/${supervisor.pid}/cmdline`) === '', 5_000, 'the supervisor is gone');
    expect(await toots('status')).toMatchObject({ code: 1, output: expect.stringContaining('supervisor is gone') });
    expect((await leftOver(runDir)).length).toBeGreaterThan(6);

    expect(await toots('down')).toMatchObject({ code: 0, output: expect.stringContaining('4 containers') });
    expect(await leftOver(runDir)).toEqual([]);
    expect(await toots('down')).toMatchObject({ code: 0, output: expect.stringContaining('nothing was running') });
  },
  BUDGET_MS,
);

test(
  'a demo that is told to end while it starts leaves nothing behind',
  async () => {
    await using folder = await tempDir();
    const runDir = runDirIn(folder.path);
    await using demo = await startToots(['demo', '--run-dir', runDir]);
    await until(() => demo.output().includes('✓ Consul') || demo.hasEnded(), BUDGET_MS, 'the demo is half up');

    demo.signal('SIGTERM');

    expect((await ended(demo)).code).toBe(0);
    expect(await leftOver(runDir)).toEqual([]);
  },
  BUDGET_MS,
);

test(
  'what a demo left whose run folder is lost, as by a restart of the machine, gives way',
  async () => {
    await using folder = await tempDir();
    const runDir = runDirIn(folder.path);
    await using left = await startContainer({ name: `${basename(runDir)}-python-stable`, labels: { 'toots.demo': runDir } });
    await docker('stop', '-t', '0', left.id);
    await using demo = await startToots(['demo', '--check', '--run-dir', runDir]);

    const { code, output } = await ended(demo);

    expect(output).toContain('an earlier demo had left 1 container: gone now');
    expect(code).toBe(0);
  },
  BUDGET_MS,
);
