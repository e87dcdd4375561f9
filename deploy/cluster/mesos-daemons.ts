import { pageLabels } from './consul-daemon.ts';
import type { Daemon, DaemonName } from './daemon.ts';
import { imageOf } from './images.ts';
import { askedAt, innerAddress, type NodeContext } from './node-context.ts';

/** The orchestrator's daemons, from upstream's images: what the original started, with its flags. */
type MesosDaemon = Extract<DaemonName, 'zookeeper' | 'mesos-master' | 'mesos-slave' | 'marathon' | 'chronos'>;

const PORTS = { zookeeper: 2181, mesosMaster: 5050, mesosSlave: 5051, marathon: 8080, chronos: 4400 } as const;

/** Pure. */
export function mesosDaemon(name: MesosDaemon, context: NodeContext): Daemon {
  const base = {
    name,
    image: imageOf(name, context.conf, context.version),
    environment: {},
    labels: {},
    mounts: [],
    writableRoot: true as const, // upstream's images write where they like,
    capabilities: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'], // and begin as root, to give their folders to a user and become it
    stopGraceS: 30,
  };
  return { ...base, ...MESOS[name](context) };
}

type Own = Pick<Daemon, 'command' | 'memory'> & Partial<Daemon>;

const MESOS: Readonly<Record<MesosDaemon, (context: NodeContext) => Own>> = {
  zookeeper: ({ conf, address }) => ({
    command: ['zkServer.sh', 'start-foreground'], // the image's own, so that ZOOKEEPER_PARAMS can follow
    environment: {
      ZOO_MY_ID: String(conf.MASTERS.indexOf(address) + 1),
      ZOO_SERVERS: conf.MASTERS.map((master, i) => `server.${i + 1}=${master}:2888:3888;${PORTS.zookeeper}`).join(' '),
      ZOO_4LW_COMMANDS_WHITELIST: 'srvr',
    },
    mounts: [
      { from: 'zookeeper-data', to: '/data', writable: true },
      { from: 'zookeeper-log', to: '/datalog', writable: true },
    ],
    healthCheck: ['CMD-SHELL', `echo srvr | nc -w 2 127.0.0.1 ${PORTS.zookeeper} | grep -q Mode`],
    memory: '1g',
  }),
  'mesos-master': (context) => ({
    command: [
      `--zk=${zookeeperUrl(context, 'mesos')}`,
      `--quorum=${Math.floor(context.conf.MASTERS.length / 2) + 1}`,
      ...['--cluster=mesoscluster', '--work_dir=/var/lib/mesos'],
      ...[
        `--ip=${innerAddress(context)}`,
        `--advertise_ip=${context.address}`,
        `--hostname=${context.address}`,
        `--port=${PORTS.mesosMaster}`,
      ],
    ],
    mounts: [{ from: 'mesos-master-data', to: '/var/lib/mesos', writable: true }],
    labels: pages(context, PORTS.mesosMaster, 'mesos', '/master/health'),
    healthCheck: ['CMD-SHELL', `curl -fs http://${askedAt(innerAddress(context))}:${PORTS.mesosMaster}/health`],
    memory: '1g',
  }),
  marathon: (context) => ({
    command: [
      ...['--master', zookeeperUrl(context, 'mesos'), '--zk', zookeeperUrl(context, 'marathon')],
      ...['--hostname', context.address, '--http_address', innerAddress(context), '--http_port', String(PORTS.marathon)],
    ],
    // In the environment, not on the command line, which every program of the host can read.
    environment: context.conf.MARATHON_CREDENTIALS === undefined ? {} : { MARATHON_HTTP_CREDENTIALS: context.conf.MARATHON_CREDENTIALS },
    // With a password only the ping answers without one.
    labels: pages(context, PORTS.marathon, 'marathon', context.conf.MARATHON_CREDENTIALS === undefined ? '/v2/leader' : '/ping'),
    healthCheck: ['CMD-SHELL', `curl -fs http://${askedAt(innerAddress(context))}:${PORTS.marathon}/ping`],
    memory: '2g',
  }),
  chronos: (context) => ({
    command: [
      ...[
        '--master',
        zookeeperUrl(context, 'mesos'),
        '--zk_hosts',
        context.conf.MASTERS.map((master) => `${master}:${PORTS.zookeeper}`).join(','),
      ],
      ...['--hostname', context.address, '--http_port', String(PORTS.chronos)],
    ],
    environment: { PORT0: String(PORTS.chronos), PORT1: '0' },
    labels: pages(context, PORTS.chronos, 'chronos', '/ping'),
    healthCheck: ['CMD-SHELL', `curl -fs http://${askedAt(innerAddress(context))}:${PORTS.chronos}/ping`],
    memory: '1g',
  }),
  'mesos-slave': (context) => ({
    command: [
      `--master=${zookeeperUrl(context, 'mesos')}`,
      ...['--containerizers=docker,mesos', '--executor_registration_timeout=5mins', '--docker_stop_timeout=5secs'],
      ...['--gc_delay=1days', '--docker_remove_delay=10mins', '--launcher=posix', '--cgroups_limit_swap', '--no-systemd_enable_support'],
      ...['--work_dir=/var/lib/mesos', '--quiet', '--logbufsecs=10'],
      `--attributes=type:${context.answers.slaveMode === 'persistent' ? 'data' : 'normal'}`,
      ...[
        `--ip=${innerAddress(context)}`,
        `--advertise_ip=${context.address}`,
        `--hostname=${context.address}`,
        `--port=${PORTS.mesosSlave}`,
      ],
    ],
    mounts: [
      { from: '/var/run/docker.sock', to: '/var/run/docker.sock', writable: true },
      { from: '/var/lib/mesos', to: '/var/lib/mesos', writable: true }, // the same path: Docker mounts its sandboxes into tasks
      { from: '/sys/fs/cgroup', to: '/sys/fs/cgroup', writable: true },
      ...(context.answers.slaveMode === 'persistent' ? [{ from: '/var/store', to: '/var/store', writable: true as const }] : []),
    ],
    privileged: true,
    hostPids: true,
    stopSignal: 'SIGUSR1',
    healthCheck: ['CMD-SHELL', `curl -fs http://${askedAt(innerAddress(context))}:${PORTS.mesosSlave}/health`],
    memory: '1g',
  }),
};

function zookeeperUrl({ conf }: NodeContext, path: string): string {
  return `zk://${conf.MASTERS.map((master) => `${master}:${PORTS.zookeeper}`).join(',')}/${path}`;
}

/** What the registrator of a master is told; without one it harms nobody. */
function pages({ answers }: NodeContext, port: number, name: string, healthPath: string): Readonly<Record<string, string>> {
  return answers.registerMasters || answers.roles.has('slave') ? pageLabels(port, name, healthPath) : {};
}
