import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { execa } from 'execa';
import { parse } from 'yaml';
import { composeVersion, installCompose } from '../../deploy/cluster/compose.ts';
import { composeText } from '../../deploy/cluster/compose-text.ts';
import { planNode } from '../../deploy/cluster/plan-node.ts';
import { ROLE_CHOICES, type Role } from '../../deploy/cluster/roles.ts';
import { aNode } from '../deploy/cluster/a-node.ts';
import { PROJECT_FOLDER, startToots } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

const TOOTS = join(PROJECT_FOLDER, 'toots.sh');

/** An address of this machine, so that it is one of the masters. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '';
}

/** A folder with a Toots.conf that has this machine as its master. */
async function clusterFolder(text = '') {
  const folder = await tempDir();
  await writeFile(join(folder.path, 'Toots.conf'), `MASTERS=${ownAddress()}\nIP=${ownAddress()}\nSECURE=false\nORCHESTRATOR=none\n${text}`);
  const env = { TOOTS_CONF: join(folder.path, 'Toots.conf'), TOOTS_STATE_DIR: join(folder.path, 'state') };
  return { ...folder, env };
}

/** toots on a terminal of its own, as a person has it. */
function atTerminal(args: readonly string[], env: Readonly<Record<string, string>>) {
  const command = [TOOTS, ...args].join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
  let read = 0;
  return {
    /** Waits until this is shown, after what was waited for before, and types a line. */
    answer: async (question: string, line: string) => {
      await until(() => shown.indexOf(question, read) >= 0, 20_000, `${question} is asked`).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${shown}`, { cause: error });
      });
      read = shown.indexOf(question, read) + question.length;
      child.stdin.write(`${line}\n`);
    },
    shown: () => shown,
    ended: async () => Number((await ended)[0]),
  };
}

test('a person answers the questions, sees what would be done, and says no', async () => {
  await using folder = await clusterFolder();
  const terminal = atTerminal([], folder.env);

  await terminal.answer('Install Mode', '7');
  await terminal.answer('Your choice is incorrect', '4');
  await terminal.answer('Register the masters’ pages', '');
  await terminal.answer('VIP (', '10.255.0.1');
  await terminal.answer('Do this? [Y/n]', 'n');

  expect(await terminal.ended()).toBe(1);
  expect(terminal.shown()).toMatch(
    /consul +start\r\n +registrator +start\r\n +templater +start\r\n +haproxy +start\r\n +vip-templater +start\r\n +keepalived +start/,
  );
  await expect(readFile(join(folder.path, 'state/compose.yaml'))).rejects.toThrow('ENOENT');
}, 60_000);

test.each(['\u0003', '\u0004'])(
  '%j instead of an answer ends it without a change, and without a stack',
  async (key) => {
    await using folder = await clusterFolder();
    const terminal = atTerminal([], folder.env);

    await terminal.answer('Install Mode', key);

    expect(await terminal.ended()).not.toBe(0);
    expect(terminal.shown()).toContain('nothing was changed');
    expect(terminal.shown()).not.toMatch(/^ {4}at /m);
  },
  60_000,
);

test('the third wrong answer ends it, as the original said', async () => {
  await using folder = await clusterFolder();
  const terminal = atTerminal([], folder.env);

  for (const line of ['9', '8', '7']) await terminal.answer('> ', line);

  expect(await terminal.ended()).toBe(1);
  expect(terminal.shown()).toContain('Your choice is incorrect!');
}, 60_000);

test('without a terminal and without roles it says which flags there are, and ends with 2', async () => {
  await using folder = await clusterFolder();
  await using toots = await startToots([], { env: folder.env });

  expect(await toots.ended).toBe(2);
  expect(toots.output()).toMatch(/-roles master\[,slave\]\[,edge\].*TOOTS_ROLES/);
}, 60_000);

test('what stands in Toots.conf runs nothing, and every problem is told', async () => {
  await using folder = await clusterFolder("NIC=$(touch ran)\nEX_DOMAIN=`touch ran`\nVIP=\"x\nIN_DOMAIN='$(touch ran)'\n");
  await using toots = await startToots(['up', '--roles', 'master', '--yes'], { env: folder.env, cwd: folder.path });

  expect(await toots.ended).toBe(2);
  expect(toots.output().match(/Toots\.conf:\d+: /g)).toEqual(['Toots.conf:5: ', 'Toots.conf:6: ', 'Toots.conf:7: ', 'Toots.conf:8: ']);
  await expect(readFile(join(folder.path, 'ran'))).rejects.toThrow('ENOENT');
}, 60_000);

test('several faults are told line by line, each once, and a line that cannot be read is no missing key', async () => {
  await using folder = await tempDir();
  const lines = ['MASTERS=10.0.0.1 10.0.0.2', 'NIC = eth0', 'VIP=10.0.0.999', 'ORCHESTRATER=none', 'CONSUL_MEMORY=lots'];
  await writeFile(join(folder.path, 'Toots.conf'), `${lines.join('\n')}\n`);
  await using toots = await startToots(['up', '--roles', 'slvae'], { env: { TOOTS_CONF: join(folder.path, 'Toots.conf') } });

  expect(await toots.ended).toBe(2);
  expect(toots.output()).toBe(
    [
      'toots: -roles: must be one or more of master, slave, edge, parted by commas, got "slvae"',
      'toots: Toots.conf:1: MASTERS: "10.0.0.1 10.0.0.2" has a space; put the value in quotes',
      'toots: Toots.conf:2: must be KEY=value without spaces around =, got "NIC = eth0"',
      'toots: Toots.conf:3: VIP must be an IPv4 address, got "10.0.0.999"',
      'toots: Toots.conf:4: unknown key ORCHESTRATER (did you mean ORCHESTRATOR?)',
      'toots: Toots.conf:5: CONSUL_MEMORY must be a size such as 256m, got "lots"',
      'toots: see toots up -help',
      '',
    ].join('\n'),
  );
}, 60_000);

test('config shows the settings and the Compose file, restricted/ counts, and credentials are hidden', async () => {
  await using folder = await clusterFolder("MARATHON_CREDENTIALS='ann:se$cret'\nORCHESTRATOR=marathon\n");
  await mkdir(join(folder.path, 'restricted'));
  const roles = 'master';
  await writeFile(join(folder.path, 'restricted/common'), 'CONSUL_DC=one\n');
  await writeFile(join(folder.path, 'restricted/overwrite'), 'CONSUL_DC=two\n');
  await writeFile(join(folder.path, 'restricted/env'), "NOTE='$(id) $HOME'\n");

  const { stdout } = await execa(TOOTS, ['config', '--roles', roles], { env: folder.env, stdin: 'ignore' });

  expect(stdout).toContain('# CONSUL_DC=two\n');
  expect(stdout).not.toContain('se$');
  expect(parse(stdout).services.consul.environment.NOTE).toContain('$$(id)');
}, 60_000);

test('doctor says what stands in the way', async () => {
  await using folder = await clusterFolder('START_DNSMASQ=true\n');
  const { stdout } = await execa(TOOTS, ['doctor', '--roles', 'master', '--secure', 'yes'], {
    env: folder.env,
    stdin: 'ignore',
    reject: false,
  });

  expect(stdout).toMatch(/✗ there are no secrets\n +→ .*toots\.sh secrets/);
}, 60_000);

test('secrets are made once, for their owner alone', async () => {
  await using folder = await clusterFolder();
  const make = async (...words: readonly string[]) =>
    (await execa(TOOTS, ['secrets', ...words], { env: folder.env, stdin: 'ignore' })).stdout;
  const file = join(folder.path, 'restricted/secrets.json');

  await make();
  const first = await readFile(file, 'utf8');
  expect(await make()).toContain('is there already');
  expect(await readFile(file, 'utf8')).toBe(first);
  await make('--replace');
  expect(await readFile(file, 'utf8')).not.toBe(first);
  const all = ['secrets.json', 'secrets.nodes.json', 'ca-key.pem'].map((name) => join(folder.path, 'restricted', name));
  expect((await execa('stat', ['-c', '%a', ...all])).stdout).toBe('600\n600\n600');
  const [masters, others = '', caKey = ''] = await Promise.all(all.map((path) => readFile(path, 'utf8')));
  const { master } = JSON.parse(masters ?? '');
  expect(caKey).toContain('PRIVATE KEY');
  for (const secret of [master.management, master.server.key, caKey]) expect(others).not.toContain(JSON.stringify(secret).slice(1, -1));
  expect(masters).not.toContain(JSON.stringify(caKey).slice(1, -1));
}, 60_000);

test('Compose takes the file of every combination of roles', async () => {
  await using folder = await tempDir();
  if ((await composeVersion()) === undefined) await installCompose(new AbortController().signal);
  const file = join(folder.path, 'compose.yaml');
  const all: readonly (readonly Role[])[] = [...ROLE_CHOICES.master, ...ROLE_CHOICES.other];

  for (const roles of all) {
    const note = ['$(id) ${HO', 'ME} "x" #'].join('');
    const plan = planNode(
      aNode({ roles, answers: { vip: '10.0.0.100', internalDns: true, slaveMode: 'persistent' }, context: { env: { NOTE: note } } }),
    );
    await writeFile(file, composeText(plan));
    const { stdout } = await execa('docker', ['compose', '-f', file, 'config', '--no-normalize'], { stdin: 'ignore' });
    const services: Record<string, { environment: { NOTE: string } }> = parse(stdout).services;
    expect(Object.keys(services).sort()).toEqual(plan.daemons.map(({ name }) => name).sort());
    expect(services['consul']?.environment.NOTE.replaceAll('$$', '$')).toBe(note);
  }
}, 120_000);
