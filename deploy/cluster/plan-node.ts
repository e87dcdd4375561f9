import { createHash } from 'node:crypto';
import { consulDaemon } from './consul-daemon.ts';
import { DAEMONS, type Daemon, type DaemonName, type NodeFile, type NodePlan } from './daemon.ts';
import { mesosDaemon } from './mesos-daemons.ts';
import { type NodeContext, startsDaemon } from './node-context.ts';
import { dnsmasqDaemon, haproxyDaemon, keepalivedDaemon, registratorDaemon, templaterDaemon, vipTemplaterDaemon } from './own-daemons.ts';

type Planned = { readonly daemon: Daemon; readonly files: readonly NodeFile[] };

const PLANNERS: Readonly<Record<DaemonName, (context: NodeContext) => Planned>> = {
  consul: consulDaemon,
  dnsmasq: dnsmasqDaemon,
  zookeeper: (context) => ({ daemon: mesosDaemon('zookeeper', context), files: [] }),
  'mesos-master': (context) => ({ daemon: mesosDaemon('mesos-master', context), files: [] }),
  marathon: (context) => ({ daemon: mesosDaemon('marathon', context), files: [] }),
  chronos: (context) => ({ daemon: mesosDaemon('chronos', context), files: [] }),
  'mesos-slave': (context) => ({ daemon: mesosDaemon('mesos-slave', context), files: [] }),
  registrator: registratorDaemon,
  templater: templaterDaemon,
  haproxy: haproxyDaemon,
  'vip-templater': vipTemplaterDaemon,
  keepalived: keepalivedDaemon,
};

/** Label that makes a daemon another one when a file that it reads at its start changed. */
const FILES_LABEL = 'toots.files';

/** Everything a node should run: a value, the same for the same context. Pure. */
export function planNode(context: NodeContext): NodePlan {
  const planned = DAEMONS.filter((name) => startsDaemon(name, context)).map((name) => PLANNERS[name](context));
  const files = planned.flatMap((one) => one.files);
  return { daemons: planned.map(({ daemon }) => withConf(daemon, files, context)), files };
}

/** What Toots.conf and restricted/env say of every daemon alike. */
function withConf(daemon: Daemon, files: readonly NodeFile[], { conf, env }: NodeContext): Daemon {
  const { params, appParams, memory } = conf.daemons[daemon.name];
  const read = files.filter(({ readBy }) => readBy.includes(daemon.name));
  const digest = createHash('sha256');
  for (const { path, text } of read) digest.update(`${path}\0${text}\0`);
  return {
    ...daemon,
    command: appParams ?? [...daemon.command, ...params],
    environment: { ...env, ...daemon.environment },
    // Our own containers are nobody's service, unless a label names one of their ports.
    labels: {
      ...(Object.keys(daemon.labels).length === 0 && { SERVICE_IGNORE: 'true' }),
      ...daemon.labels,
      ...(read.length > 0 && { [FILES_LABEL]: digest.digest('hex').slice(0, 16) }),
    },
    memory: memory ?? daemon.memory,
  };
}
