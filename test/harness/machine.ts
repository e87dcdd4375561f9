import { execa } from 'execa';
import { startProgram } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

/** What a machine sees of its own: network, mounts, host name, /etc, /run and the folders of Docker and Toots; the rest is this machine's. */
export interface Machine extends AsyncDisposable {
  readonly name: string;
  /** In which its namespaces are. */
  readonly pid: number;
  /** Words before a program and its arguments, which have it run there. */
  readonly inside: readonly string[];
  /** A folder for its files, on this machine. */
  readonly folder: string;
  /** Runs a program there; answers what it printed. @throws ExecaError with its words when it fails. */
  readonly run: (file: string, args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>;
}

const OWN_MOUNTS = [
  'set -e',
  'mkdir -p "$1/etc" "$1/etc.work" "$1/docker" "$1/toots" "$1/log" "$1/containerd"',
  'mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/etc.work" /etc',
  'mkdir -p /var/lib/docker /var/lib/toots /var/log/toots',
  'mount --bind "$1/docker" /var/lib/docker',
  'mount --bind "$1/toots" /var/lib/toots',
  'mount --bind "$1/log" /var/log/toots',
  'touch "$1/docker.sock" && mount --bind /run/docker.sock "$1/docker.sock" 2>/dev/null || :',
  'mount -t tmpfs tmpfs /run',
  'hostname "$2"',
  'ip link set lo up',
  'exec sleep infinity',
].join('\n');

/** Starts one, without a network but loopback, and without a Docker engine. */
export async function startMachine(name: string): Promise<Machine> {
  const folder = await tempDir();
  const namespaces = ['--net', '--mount', '--uts', '--propagation', 'private'];
  const holder = await startProgram('unshare', [...namespaces, 'sh', '-c', OWN_MOUNTS, 'sh', folder.path, name]);
  const inside = ['nsenter', '-t', String(holder.pid), '-n', '-m', '-u', '--'];
  await until(async () => (await execa('readlink', [`/proc/${holder.pid}/exe`])).stdout.endsWith('sleep'), 10_000, `the mounts of ${name}`);
  return {
    name,
    pid: holder.pid,
    inside,
    folder: folder.path,
    run: async (file, args, env = {}) => {
      const [first = '', ...rest] = [...inside, file, ...args];
      return (await execa(first, rest, { stdin: 'ignore', env, cwd: '/' })).stdout;
    },
    [Symbol.asyncDispose]: async () => {
      await holder.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}
