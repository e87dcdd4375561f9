import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { DAEMON_PORTS } from '../../deploy/cluster/read-machine.ts';
import { PROJECT_FOLDER } from '../harness/program.ts';

const SMALL = 'test/cluster/small-cluster.test.ts';
const MACHINE = 'test/integration/cluster-machine.test.ts';
const QUESTIONS = 'test/integration/cluster-questions.test.ts';

/** Each command of the page on clusters, the test that runs it, and where in that test. */
const RUN_BY: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'cp Toots.conf.example Toots.conf': ['test/deploy/cluster/conf-keys.test.ts', "join(PROJECT_FOLDER, 'Toots.conf.example')"],
  './toots.sh secrets': [SMALL, "master.toots('secrets')"],
  './toots.sh': [QUESTIONS, 'atTerminal([], folder.env)'],
  './toots.sh up --roles master --yes': [SMALL, "master.toots('up', '--roles', 'master', '--yes')"],
  './toots.sh up --roles slave --internal-dns yes --yes': [
    SMALL,
    "slave.toots('up', '--roles', 'slave', '--internal-dns', 'yes', '--yes')",
  ],
  './toots.sh up --roles edge --vip 10.0.0.100 --yes': ['test/cluster/large-cluster.test.ts', "up(one, 'edge', '--vip', vip)"],
  './toots.sh config --roles slave': [QUESTIONS, "['config', '--roles', roles]"],
  './toots.sh doctor --roles slave': [MACHINE, "['--roles', 'slave', "],
  'nft add rule inet filter input ip saddr 10.0.0.0/24 accept': [MACHINE, "'nft add rule inet filter input ip saddr 10.0.0.0/24 accept'"],
  './toots.sh status': [SMALL, "slave.toots('status')"],
  './toots.sh logs consul': [SMALL, "slave.toots('logs', 'consul'"],
  './toots.sh restart registrator': [SMALL, "slave.toots('restart', 'registrator')"],
  './toots.sh down': [SMALL, "slave.toots('down'"],
  './toots.sh upgrade --dry-run': [SMALL, "edge.toots('upgrade', '--dry-run')"],
  './toots.sh upgrade': [SMALL, "edge.toots('upgrade', '--no-build')"], // as images are built before, on the one machine that reaches Debian
  './toots.sh backup consul.snapshot': [SMALL, "master.toots('backup', file)"],
  './toots.sh restore consul.snapshot': [SMALL, "master.toots('restore', file)"],
};

test('TT-60: the page on clusters lists every port that a daemon has', async () => {
  const page = await readFile(join(PROJECT_FOLDER, 'docs/cluster.md'), 'utf8');
  const table = /\| port \| who listens .*?\n\n/s.exec(page)?.[0] ?? '';
  const listed = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) => [
    ...[...cell.matchAll(/(\d+)–(\d+)/g)].flatMap(([, from, to]) =>
      Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i),
    ),
    ...[...cell.matchAll(/\d+/g)].map(Number),
  ]);

  for (const [daemon, ports] of Object.entries(DAEMON_PORTS))
    expect([daemon, ports.filter((port) => !listed.includes(port))]).toEqual([daemon, []]);
});

test('each command of the page on clusters is run by a test', async () => {
  const page = await readFile(join(PROJECT_FOLDER, 'docs/cluster.md'), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  const commands = blocks.flatMap((block) => block.trim().split('\n')).map((line) => line.replace(/\s+#.*$/, ''));

  expect(new Set(commands)).toEqual(new Set(Object.keys(RUN_BY)));
  for (const [file, text] of Object.values(RUN_BY)) expect(await readFile(join(PROJECT_FOLDER, file), 'utf8')).toContain(text);
  expect(page).not.toMatch(/^ {4}\S/m); // a block that is not looked at
});
