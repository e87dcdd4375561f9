import type { Answers } from '../../../deploy/cluster/answers.ts';
import { type ClusterConf, readConf } from '../../../deploy/cluster/conf.ts';
import type { ConfEntry } from '../../../deploy/cluster/conf-text.ts';
import type { Daemon, DaemonName } from '../../../deploy/cluster/daemon.ts';
import type { NodeContext } from '../../../deploy/cluster/node-context.ts';
import { planNode } from '../../../deploy/cluster/plan-node.ts';
import type { Role } from '../../../deploy/cluster/roles.ts';
import type { Secrets } from '../../../deploy/cluster/secrets.ts';

/** Lines `KEY=value` as entries, without a look at quotes. */
export function entries(text: string): readonly ConfEntry[] {
  return text.split('\n').flatMap((line, i) => {
    const [key = '', ...rest] = line.split('=');
    const value = rest.join('=').replace(/^"(.*)"$/, '$1');
    return line === '' ? [] : [{ key, value, where: `Toots.conf:${i + 1}` }];
  });
}

/** A configuration that is right; three masters where nothing else is said. @throws Error with its problems. */
export function conf(text = ''): ClusterConf {
  const read = readConf([...entries('MASTERS=10.0.0.1,10.0.0.2,10.0.0.3'), ...entries(text)]);
  if (read.kind === 'wrong') throw new Error(read.problems.join('\n'));
  return read.conf;
}

const uuid = (last: number) => `00000000-0000-4000-8000-00000000000${last}`;

export const SECRETS: Secrets = {
  gossipKey: 'gossip',
  ca: 'CA',
  client: { cert: 'CLIENT', key: 'CLIENT KEY' },
  tokens: { agent: uuid(2), registrator: uuid(3), templater: uuid(4), dns: uuid(5) },
  vrrpPassword: 'abcdefgh',
  master: { server: { cert: 'SERVER', key: 'SERVER KEY' }, management: uuid(1) },
};

interface NodeOptions {
  readonly roles: readonly Role[];
  readonly conf?: string;
  readonly answers?: Partial<Answers>;
  readonly context?: Partial<NodeContext>;
}

/** A node of these roles with the default answers: a master is 10.0.0.2, any other 10.0.0.9. */
export function aNode({ roles, conf: text = '', answers = {}, context = {} }: NodeOptions): NodeContext {
  return {
    conf: conf(text),
    answers: {
      roles: new Set(roles),
      registerMasters: true,
      vip: undefined,
      slaveMode: 'stateless',
      nfs: undefined,
      internalDns: false,
      dnsAnswer: 'balancer',
      ...answers,
    },
    address: roles.includes('master') ? '10.0.0.2' : '10.0.0.9',
    nic: 'eth1',
    nodeName: 'node-a',
    stateDir: '/var/lib/toots',
    dockerGroup: 999,
    version: '1.2.3',
    secrets: SECRETS,
    env: {},
    ...context,
  };
}

/** One daemon of a node's plan. @throws Error when the node does not run it. */
export function daemonOf(name: DaemonName, options: NodeOptions): Daemon {
  const daemon = planNode(aNode(options)).daemons.find((one) => one.name === name);
  if (daemon === undefined) throw new Error(`no ${name}`);
  return daemon;
}

/** The text of one file of a node's plan. */
export function fileOf(path: string, options: NodeOptions): string | undefined {
  return planNode(aNode(options)).files.find((file) => file.path === path)?.text;
}
