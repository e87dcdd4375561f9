import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { startMachine } from './machine.ts';
import { PROJECT_FOLDER, type RunningProgram, startProgram } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

/** A network that hosts are on: a bridge in a network namespace of its own, so that nothing of this machine's network is touched. */
export interface Lan extends AsyncDisposable {
  /** Runs a program on the network, as a client that is none of the hosts. */
  readonly run: (file: string, args: readonly string[]) => Promise<string>;
  /** Starts one there. */
  readonly start: (file: string, args: readonly string[]) => Promise<RunningProgram>;
  /** Starts a host with this name and last number of its address. */
  readonly host: (name: string, number: number) => Promise<ClusterHost>;
  /** The address with this last number. */
  readonly address: (number: number) => string;
  /** Parts these hosts from all others; they reach each other. Nobody is parted from anybody when there are none. */
  readonly part: (hosts: readonly ClusterHost[]) => Promise<void>;
}

/** A machine of a cluster: its own network, mounts, host name, /etc, /run and Docker engine; this machine's kernel and programs. */
export interface ClusterHost extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  /** Holds Toots.conf and restricted/. */
  readonly folder: string;
  /** Runs a program on the host; answers what it printed. @throws ExecaError with its words when it fails. */
  readonly run: (file: string, args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>;
  /** `./toots.sh` there, with its Toots.conf. */
  readonly toots: (...args: readonly string[]) => Promise<string>;
  readonly docker: (...args: readonly string[]) => Promise<string>;
  /** Takes the host off the network, or puts it back. */
  readonly link: (state: 'up' | 'down') => Promise<void>;
  /** Kills the engine as `kill -9` does, and starts another one; what ran goes on in between. */
  readonly killEngine: () => Promise<void>;
  readonly startEngine: () => Promise<void>;
}

const PREFIX = '10.77.0';

export async function startLan(): Promise<Lan> {
  const holder = await startProgram('unshare', ['--net', 'sleep', 'infinity']);
  const inside = ['-t', String(holder.pid), '-n', '--'];
  const run = async (file: string, args: readonly string[]) =>
    (await execa('nsenter', [...inside, file, ...args], { stdin: 'ignore' })).stdout;
  await until(() => isOwnNamespace(holder.pid), 5_000, 'the network namespace is there');
  await run('ip', ['link', 'set', 'lo', 'up']);
  await run('ip', ['link', 'add', 'lan', 'type', 'bridge']);
  await run('ip', ['address', 'add', `${PREFIX}.254/24`, 'dev', 'lan']);
  await run('ip', ['link', 'set', 'lan', 'up']);
  await run('ip', ['link', 'add', 'lan2', 'type', 'bridge']);
  await run('ip', ['link', 'set', 'lan2', 'up']);
  const parted: string[] = [];
  return {
    run,
    start: (file, args) => startProgram('nsenter', [...inside, file, ...args]),
    host: (name, number) => startHost({ name, number, lanPid: holder.pid, onLan: run }),
    address: (number) => `${PREFIX}.${number}`,
    part: async (hosts) => {
      for (const outer of parted.splice(0)) await run('ip', ['link', 'set', outer, 'master', 'lan']);
      for (const { address } of hosts) {
        const outer = `h${address.split('.').at(-1)}`;
        await run('ip', ['link', 'set', outer, 'master', 'lan2']);
        parted.push(outer);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await holder.stop();
    },
  };
}

async function isOwnNamespace(pid: number): Promise<boolean> {
  const of = async (who: string) => (await execa('readlink', [`/proc/${who}/ns/net`])).stdout;
  return (await of(String(pid))) !== (await of('self'));
}

interface HostOptions {
  readonly name: string;
  readonly number: number;
  readonly lanPid: number;
  readonly onLan: Lan['run'];
}

async function startHost({ name, number, lanPid, onLan }: HostOptions): Promise<ClusterHost> {
  const address = `${PREFIX}.${number}`;
  const machine = await startMachine(name);
  const { run, inside, folder } = machine;
  const outer = `h${number}`;
  await execa('ip', ['link', 'add', outer, 'netns', String(lanPid), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(machine.pid)]);
  await onLan('ip', ['link', 'set', outer, 'master', 'lan', 'up']);
  for (const words of [
    ['address', 'add', `${address}/24`, 'dev', 'eth0'],
    ['link', 'set', 'eth0', 'up'],
    ['route', 'add', 'default', 'via', `${PREFIX}.254`],
  ])
    await run('ip', words);
  const log = join(folder, 'log/dockerd.log');
  // Each of its own number, or the route to its containers would be that of the network the hosts are on.
  const docker = (...args: readonly string[]) => run('docker', args);
  const startEngine = async () => {
    // What a killed engine left may name a process that nobody has taken in: the next would take it for its own.
    const words = [
      'sh',
      '-c',
      `rm -f /run/docker/containerd/containerd.pid; exec dockerd --bip 172.31.${number}.1/24 --log-level warn >>${log} 2>&1`,
    ];
    const started = await startProgram('env', [...inside, ...words]);
    await until(() => docker('version', '-f', '{{.Server.Version}}'), 60_000, `the engine of ${name}`);
    return started;
  };
  let engine = await startEngine();
  return {
    name,
    address,
    folder,
    run,
    docker,
    toots: (...args) => run(join(PROJECT_FOLDER, 'toots.sh'), args, { TOOTS_CONF: join(folder, 'Toots.conf') }),
    killEngine: async () => {
      engine.signal('SIGKILL');
      await engine.ended;
    },
    startEngine: async () => {
      engine = await startEngine();
    },
    link: async (state) => void (await onLan('ip', ['link', 'set', outer, state])),
    [Symbol.asyncDispose]: async () => {
      const ids = (await docker('ps', '-aq').catch(() => '')).split('\n').filter((id) => id !== '');
      if (ids.length > 0) await docker('rm', '-f', '-v', ...ids).catch(() => '');
      await engine.stop();
      await machine[Symbol.asyncDispose]();
    },
  };
}

/** Has the engines of hosts have these images of this machine's. */
export async function loadImages(hosts: readonly ClusterHost[], images: readonly string[]): Promise<void> {
  await using folder = await tempDir();
  const archive = join(folder.path, 'images.tar');
  await execa('docker', ['save', '-o', archive, ...images], { stdin: 'ignore' });
  await Promise.all(hosts.map((host) => host.docker('load', '-i', archive)));
}

/** Writes a host's Toots.conf, and the secrets that a master has: those of masters, or those for other nodes. */
export async function writeConf(
  host: ClusterHost,
  conf: string,
  secretsOf?: ClusterHost,
  secrets: 'secrets.json' | 'secrets.nodes.json' = 'secrets.nodes.json',
): Promise<void> {
  await writeFile(join(host.folder, 'Toots.conf'), conf);
  if (secretsOf === undefined) return;
  await mkdir(join(host.folder, 'restricted'), { recursive: true });
  await execa('cp', ['-p', join(secretsOf.folder, 'restricted', secrets), join(host.folder, 'restricted', secrets)]);
}
