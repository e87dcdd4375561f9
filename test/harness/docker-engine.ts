import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { unpackFrom } from '../../deploy/host/debian.ts';
import { testImage } from './docker.ts';
import { type RunningProgram, startProgram } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

export interface TestEngine extends AsyncDisposable {
  /** `unix:///…` */
  readonly url: string;
  /** A file that is its network namespace, where its containers' addresses and published ports are. */
  readonly namespace: string;
  /** The `docker` client, at this engine. */
  readonly docker: (...args: readonly string[]) => Promise<string>;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

export interface EngineOptions {
  /** Its containers go on while it is restarted. */
  readonly liveRestore?: boolean;
  /** Has networks and publishes ports, in its own namespace; otherwise its containers are on the network of that. */
  readonly hasBridge?: boolean;
  /** The system's unless said. */
  readonly dockerd?: string;
}

/**
 * A Docker engine of its own, which a test may stop. It lives in a network namespace of its own, as an engine without a bridge takes docker0
 * away from every other in its namespace, and two with one write each other's firewall chains.
 */
export async function startEngine({
  liveRestore = false,
  hasBridge = false,
  dockerd: program = 'dockerd',
}: EngineOptions): Promise<TestEngine> {
  const folder = await tempDir();
  const at = (name: string) => join(folder.path, name);
  const namespace = basename(folder.path);
  await execa('ip', ['netns', 'add', namespace]);
  await execa('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  const url = `unix://${at('docker.sock')}`;
  const flags = [
    '--data-root',
    at('data'),
    '--exec-root',
    at('run'),
    '--pidfile',
    at('pid'),
    ...(hasBridge ? WITH_BRIDGE : WITHOUT_BRIDGE),
    ...(program === 'dockerd' ? [] : NEWER),
  ];
  const words = ['-H', url, ...flags, ...(liveRestore ? ['--live-restore'] : []), '--log-level', 'warn'];
  const docker = async (...args: readonly string[]) => (await execa('docker', ['-H', url, ...args], { stdin: 'ignore' })).stdout.trim();
  let dockerd: RunningProgram | undefined;
  const start = async () => {
    // nsenter becomes the engine; `ip netns exec` would hide the cgroups from it.
    dockerd = await startProgram('nsenter', [`--net=/run/netns/${namespace}`, program, ...words], {
      env: { PATH: `${dirname(program)}:${process.env['PATH']}` },
    });
    await until(() => docker('version', '-f', '{{.Server.Version}}'), 60_000, 'the engine answers').catch((error: unknown) => {
      throw new Error(`${String(error)}\n${dockerd?.output()}`, { cause: error });
    });
  };
  const stop = async () => {
    await dockerd?.stop();
  };
  await start();
  const image = await testImage();
  await execa({ shell: true, stdin: 'ignore' })`docker save ${image} | docker -H ${url} load`;
  return {
    url,
    namespace: `/run/netns/${namespace}`,
    docker,
    start,
    stop,
    [Symbol.asyncDispose]: async () => {
      const containers = (await docker('ps', '-aq').catch(() => '')).split('\n').filter((id) => id !== '');
      if (containers.length > 0) await docker('rm', '-f', ...containers).catch(() => '');
      await stop();
      await execa('sh', ['-c', `findmnt -rno TARGET | grep '^${folder.path}/' | sort -r | xargs -r umount -l`], { reject: false });
      await execa('ip', ['netns', 'del', namespace], { reject: false });
      await folder[Symbol.asyncDispose]();
    },
  };
}

const WITHOUT_BRIDGE = ['--bridge', 'none', '--iptables=false', '--ip6tables=false'];
const WITH_BRIDGE = ['--bip', '198.18.29.1/24', '--default-address-pool', 'base=198.19.0.0/16,size=24'];
/** Engines from 29.5 on give each container a time namespace, which runc before 1.2 cannot. */
const NEWER = ['--feature', 'time-namespaces=false'];

/** The `dockerd` of Debian sid, unpacked once for this machine: an engine of 2025 or later. TOOTS_TEST_DOCKERD names another. */
export async function newerDockerd(): Promise<string> {
  const given = process.env['TOOTS_TEST_DOCKERD'];
  if (given !== undefined) return given;
  const folder = join(tmpdir(), 'toots-test-newer-docker');
  const dockerd = join(folder, 'root/usr/sbin/dockerd');
  const { signal } = new AbortController();
  if (!existsSync(dockerd)) await unpackFrom('sid', 'docker.io', folder, signal);
  return dockerd;
}
