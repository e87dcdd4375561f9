import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { ExecaError, execa } from 'execa';
import { findProgram } from '../../daemon/find-program.ts';
import { composeVersion, installCompose } from '../../deploy/cluster/compose.ts';
import { installPackages } from '../../deploy/host/debian.ts';
import { testImage } from '../harness/docker.ts';
import { type Machine, startMachine } from '../harness/machine.ts';
import { PROJECT_FOLDER, startProgram } from '../harness/program.ts';
import { until } from '../harness/until.ts';

const TOOTS = join(PROJECT_FOLDER, 'toots.sh');
const [OWN, WRONG_CLOCK, SILENT] = ['10.88.0.1', '10.88.0.3', '10.88.0.4'];

beforeAll(async () => {
  if ((await composeVersion()) === undefined) await installCompose(new AbortController().signal);
  await execa(TOOTS, ['help'], { stdin: 'ignore' }); // so that it is built
}, 120_000);

/** A machine with an address on an interface of its own, with this machine's Docker engine, and with room for images. */
async function aMachine(): Promise<Machine> {
  const machine = await startMachine('lone');
  const script = [
    'ip link add eth9 type bridge && ip link set eth9 up',
    `for each in ${OWN} ${WRONG_CLOCK}; do ip address add $each/24 dev eth9; done`,
    'mount -t tmpfs -o size=6g tmpfs /var/lib/docker',
    `touch /run/docker.sock && mount --bind ${machine.folder}/docker.sock /run/docker.sock`,
  ];
  try {
    await machine.run('sh', ['-ec', script.join('\n')]);
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
  return machine;
}

async function doctor(machine: Machine, conf: string, ...words: readonly string[]): Promise<{ code: number; said: string }> {
  await writeFile(join(machine.folder, 'Toots.conf'), conf);
  const env = { TOOTS_CONF: join(machine.folder, 'Toots.conf') };
  return await machine.run(TOOTS, ['doctor', ...words], env).then(
    (said) => ({ code: 0, said }),
    (error: unknown) => {
      if (!(error instanceof ExecaError)) throw error;
      return { code: error.exitCode ?? -1, said: `${error.stdout}${error.stderr}` };
    },
  );
}

test('the rule that lets the other nodes in is one that nftables takes', async () => {
  await using machine = await startMachine('lone');
  if (findProgram('nft') === undefined) await installPackages(['nftables'], new AbortController().signal);
  const rule = 'nft add rule inet filter input ip saddr 10.0.0.0/24 accept';
  const chain = 'nft add table inet filter && nft add chain inet filter input "{ type filter hook input priority 0; policy drop; }"';

  await machine.run('sh', ['-ec', `${chain}\n${rule}`]);

  expect(await machine.run('nft', ['list', 'ruleset'])).toContain('ip saddr 10.0.0.0/24 accept');
}, 120_000);

/** A double of a master's API whose clock is an hour ahead. */
const AHEAD = `require('node:http').createServer((_, response) => response
  .setHeader('date', new Date(Date.now() + 3_600_000).toUTCString()).end('""')).listen(8500, '${WRONG_CLOCK}', () => console.log('listens'))`;

test('doctor finds nothing on a machine that is as it should be', async () => {
  await using machine = await aMachine();
  const image = await testImage();

  expect(
    await doctor(
      machine,
      `MASTERS=${OWN}\nORCHESTRATOR=none\nSECURE=false\nCONSUL_IMAGE=${image}\nREGISTRATOR_IMAGE=${image}\n`,
      '--roles',
      'master',
    ),
  ).toEqual({ code: 0, said: 'Nothing stands in the way.' });
}, 60_000);

test('doctor tells each thing that stands in the way, who has a port, and what to do', async () => {
  await using machine = await aMachine();
  await using taker = await startProgram('env', [
    ...machine.inside,
    process.execPath,
    '-e',
    `require('net').createServer().listen(53, '${OWN}')`,
  ]);
  await using resolved = await startProgram('env', [...machine.inside, process.execPath, '-e', AHEAD]);
  await until(() => resolved.output().includes('listens'), 10_000, 'the master with the wrong clock answers');
  const bad = [
    'umount /var/lib/docker && mount -t tmpfs -o size=1g tmpfs /var/lib/docker',
    'iptables -A INPUT -i lo -j ACCEPT && iptables -P INPUT DROP',
    'mount -t tmpfs tmpfs /sys/fs && mkdir /sys/fs/selinux && echo 1 >/sys/fs/selinux/enforce',
  ];
  await machine.run('sh', ['-ec', bad.join('\n')]);
  await until(async () => (await machine.run('ss', ['-ltn'])).includes(`${OWN}:53`), 10_000, 'the port is taken');
  const conf = [`MASTERS=${WRONG_CLOCK},${SILENT}`, `IP=${OWN}`, 'ORCHESTRATOR=none', 'CONSUL_IMAGE=nowhere/consul:9', `NFS=${OWN}:/store`];

  const { code, said } = await doctor(
    machine,
    `${conf.join('\n')}\n`,
    ...['--roles', 'slave', '--internal-dns', 'yes', '--slave-mode', 'persistent'],
  );

  expect(code).toBe(1);
  for (const finding of [
    new RegExp(`✗ port 53 of dnsmasq is taken by (node|MainThread) \\(pid ${taker.pid}\\)\\n +→ end that program`),
    /! 2 masters: as many may fail as with 1\n +→ name an odd number/,
    new RegExp(`✗ the clock of master ${WRONG_CLOCK} is 3(599|600)\\.\\d s away from this one\\n +→ .*chrony`),
    new RegExp(`! master ${SILENT} does not answer on 8500\\n +→ start it, or open the ports`),
    /✗ 1\.\d GB are free where Docker keeps its data\n +→ .*docker system prune/,
    /! the image nowhere\/consul:9 is not here\n +→ /,
    /✗ there are no secrets\n +→ .*\.\/toots\.sh secrets/,
    new RegExp(`✗ the NFS server of ${OWN}:/store does not answer on 2049\\n +→ `),
    /! nothing is mounted on \/var\/store\n +→ \.\/toots\.sh up mounts it/,
    /! the firewall refuses what no rule allows\n +→ .*nft add rule/,
    /! SELinux is enforcing\n +→ .*semanage/,
  ])
    expect(said).toMatch(finding);
}, 60_000);

test('doctor tells of an absent engine and Compose, and of secrets that are another’s or open to others', async () => {
  await using machine = await aMachine();
  const secrets = join(machine.folder, 'restricted/secrets.json');
  await writeFile(join(machine.folder, 'Toots.conf'), `MASTERS=${OWN}\nORCHESTRATOR=none\n`);
  await machine.run(TOOTS, ['secrets'], { TOOTS_CONF: join(machine.folder, 'Toots.conf') });
  await chmod(secrets, 0o644);
  const plugins = ['/usr/local/lib', '/usr/local/libexec', '/usr/lib', '/usr/libexec'].map((lib) => `${lib}/docker/cli-plugins`);
  const hide = `umount /run/docker.sock; for each in ${plugins.join(' ')}; do [ ! -d $each ] || mount -t tmpfs tmpfs $each; done`;
  await machine.run('sh', ['-ec', hide]);

  const { said } = await doctor(machine, `MASTERS=${WRONG_CLOCK}\nIP=${OWN}\nVIP=10.99.0.1\nORCHESTRATOR=none\n`, '--roles', 'edge');

  expect(said).toMatch(/✗ Docker is not there, or does not answer\n +→ .*docker\.io/);
  expect(said).toMatch(/✗ Compose is not there, or does not answer\n +→ \.\/toots\.sh up installs it/);
  expect(said).toContain(`✗ ${secrets} can be read by others\n      → chmod 600 ${secrets}`);
  expect(said).toMatch(/! VIP 10\.99\.0\.1 is in no network of eth9\n/);
  expect(said).toMatch(/these are the secrets of masters.*\n +→ remove this file, and copy restricted\/secrets\.nodes\.json/);
}, 60_000);

/** Calls a function of the program as it is built, on the machine; answers what it threw, or nothing. */
async function call(machine: Machine, module: string, expression: string): Promise<string> {
  const script = `const m = await import(${JSON.stringify(join(PROJECT_FOLDER, 'dist/deploy/cluster', module))});
    const signal = new AbortController().signal;
    try { await (${expression}); } catch (error) { console.log(error.message); }`;
  return await machine.run(process.execPath, ['--input-type=module', '-e', script]);
}

test('TT-16: the registry’s CA is where the engine looks, changes with Toots.conf, and goes at down; another’s stays', async () => {
  await using machine = await aMachine();
  const to = '/etc/docker/certs.d/registry.example.org/ca.crt';
  const ca = (text: string) => `{ from: 'x', to: '${to}', text: '${text}' }`;
  const install = (what: string) => call(machine, 'registry-ca.js', `m.installRegistryCa(${what}, '/var/lib/toots')`);
  const remove = () => call(machine, 'registry-ca.js', `m.removeRegistryCa('/var/lib/toots')`);
  const there = () => machine.run('cat', [to]).catch(() => 'nothing');

  expect([await install(ca('one')), await there()]).toEqual(['', 'one']);
  expect([await install(ca('two')), await there()]).toEqual(['', 'two']);
  await remove();
  expect(await there()).toBe('nothing');

  await install(ca('one'));
  await machine.run('sh', ['-c', `printf theirs >${to}`]);
  await remove();
  expect(await there()).toBe('theirs');
  expect(await install(ca('one'))).toMatch(/registry\.example\.org.*not of \.\/toots\.sh: remove it, or take CA out/);
  await remove();
  expect(await there()).toBe('theirs');
}, 60_000);

test('TT-65: systemd-resolved’s link is put back as it was; meanwhile its servers stand behind ours', async () => {
  await using machine = await startMachine('lone');
  const stub = '../run/systemd/resolve/stub-resolv.conf';
  const lines = [
    'mkdir -p /run/systemd/resolve',
    'echo nameserver 127.0.0.53 >/run/systemd/resolve/stub-resolv.conf',
    'echo nameserver 10.9.9.9 >/run/systemd/resolve/resolv.conf',
    `rm -f /etc/resolv.conf && ln -s ${stub} /etc/resolv.conf`,
  ];
  await machine.run('sh', ['-ec', lines.join('\n')]);
  const seen = () => machine.run('sh', ['-c', 'readlink /etc/resolv.conf; grep ^nameserver /etc/resolv.conf']);

  expect(await call(machine, 'resolv-conf.js', `m.takeResolvConf('/var/lib/toots', '${OWN}')`)).toBe('');
  expect(await seen()).toBe(`nameserver ${OWN}\nnameserver 10.9.9.9`);
  expect(await call(machine, 'resolv-conf.js', `m.takeResolvConf('/var/lib/toots', '${OWN}')`)).toBe(''); // again changes nothing
  expect(await seen()).toBe(`nameserver ${OWN}\nnameserver 10.9.9.9`);
  await call(machine, 'resolv-conf.js', `m.restoreResolvConf('/var/lib/toots')`);
  expect(await seen()).toBe(`${stub}\nnameserver 127.0.0.53`);
}, 60_000);

/** A double of the NFS client: what it mounts is a file system in memory. */
const MOUNT_NFS = `#!/bin/sh\ncase $1 in *:/gone) echo "mount.nfs: $1: No such file or directory" >&2; exit 32 ;; esac\nexec mount -i -t tmpfs "$1" "$2"\n`;

test('TT-74: a persistent slave’s share is mounted, with a line for the next start, and nothing is hidden or left by a failure', async () => {
  await using machine = await aMachine();
  for (const name of ['var', 'var.work', 'sbin', 'sbin.work']) await mkdir(join(machine.folder, name));
  await writeFile(join(machine.folder, 'sbin/mount.nfs'), MOUNT_NFS, { mode: 0o755 });
  const over = (name: string, path: string) =>
    `mount -t overlay overlay -o lowerdir=${path},upperdir=${machine.folder}/${name},workdir=${machine.folder}/${name}.work ${path}`;
  await machine.run('sh', [
    '-ec',
    `${over('var', '/var')}\n${over('sbin', '/usr/sbin')}\nrm -rf /var/store\nprintf 'proc /proc proc defaults 0 0' >/etc/fstab`,
  ]);
  const mount = (share: string) => call(machine, 'store.js', `m.mountStore('${share}', signal)`);
  const fstab = () => machine.run('cat', ['/etc/fstab']);

  expect(await mount('10.88.0.8:/gone')).toMatch(/No such file or directory; look at the server with showmount -e 10\.88\.0\.8/);
  expect(await fstab()).toBe('proc /proc proc defaults 0 0');
  await machine.run('touch', ['/var/store/mine']);
  expect(await mount('10.88.0.8:/store')).toMatch(/it holds mine, which a mount would hide/);
  await machine.run('rm', ['/var/store/mine']);

  expect(await mount('10.88.0.8:/store')).toBe('');
  expect(await machine.run('findmnt', ['-no', 'SOURCE', '/var/store'])).toBe('10.88.0.8:/store');
  expect(await fstab()).toBe(
    'proc /proc proc defaults 0 0\n10.88.0.8:/store /var/store nfs auto,bg,noatime,nolock,nfsvers=4,tcp,actimeo=1800 0 0',
  );
  await machine.run('umount', ['/var/store']);
  expect(await mount('10.88.0.9:/other')).toMatch(/\/etc\/fstab has a line for it that is not mounted: mount \/var\/store/);
  expect(await readFile('/etc/fstab', 'utf8').catch(() => '')).not.toContain('/var/store'); // this machine's own
}, 60_000);
