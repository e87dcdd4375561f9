import { basename, join } from 'node:path';
import { execa } from 'execa';
import { testImage } from './docker.ts';
import { type RunningProgram, startProgram } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

export interface TestEngine extends AsyncDisposable {
  /** `unix:///…` */
  readonly url: string;
  /** The `docker` client, at this engine. */
  readonly docker: (...args: readonly string[]) => Promise<string>;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

/**
 * A Docker engine of its own, which a test may stop. It lives in a network namespace of its own, as an engine without a bridge takes docker0
 * away from every other in its namespace; its containers are on that namespace's network. TOOTS_TEST_DOCKERD names another engine than the system's.
 */
export async function startEngine({ liveRestore }: { liveRestore: boolean }): Promise<TestEngine> {
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
    '--bridge',
    'none',
    '--iptables=false',
    '--ip6tables=false',
  ];
  const words = ['-H', url, ...flags, ...(liveRestore ? ['--live-restore'] : []), '--log-level', 'warn'];
  const docker = async (...args: readonly string[]) => (await execa('docker', ['-H', url, ...args], { stdin: 'ignore' })).stdout.trim();
  let dockerd: RunningProgram | undefined;
  const start = async () => {
    // nsenter becomes the engine; `ip netns exec` would hide the cgroups from it.
    dockerd = await startProgram('nsenter', [`--net=/run/netns/${namespace}`, process.env['TOOTS_TEST_DOCKERD'] ?? 'dockerd', ...words]);
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
