import type { Answers } from './answers.ts';
import type { ClusterConf } from './conf.ts';
import type { DaemonName } from './daemon.ts';
import type { Secrets } from './secrets.ts';

/** Everything that a node's plan is made of. */
export interface NodeContext {
  readonly conf: ClusterConf;
  readonly answers: Answers;
  /** This node's address, as in MASTERS. */
  readonly address: string;
  /** The interface that has it. */
  readonly nic: string;
  readonly nodeName: string;
  /** Absolute. */
  readonly stateDir: string;
  /** Number of the group that may speak to the Docker engine. */
  readonly dockerGroup: number;
  /** Of our images. */
  readonly version: string;
  /** Undefined when SECURE=false. */
  readonly secrets: Secrets | undefined;
  /** restricted/env: what every container is told. */
  readonly env: Readonly<Record<string, string>>;
}

/** Whether a node runs a daemon: by role and answers, unless a START_… key says otherwise. Pure. */
export function startsDaemon(name: DaemonName, { conf, answers }: Pick<NodeContext, 'conf' | 'answers'>): boolean {
  const { roles, registerMasters, internalDns, vip } = answers;
  const isMesos = (conf.ORCHESTRATOR ?? 'marathon') === 'marathon';
  const balances = conf.START_CONSUL_TEMPLATE ?? (roles.has('edge') || (roles.has('slave') && internalDns));
  switch (name) {
    case 'consul':
      return true;
    case 'dnsmasq':
      return roles.has('slave') && internalDns;
    case 'zookeeper':
      return isMesos && (conf.START_ZOOKEEPER ?? roles.has('master'));
    case 'mesos-master':
      return isMesos && (conf.START_MESOS_MASTER ?? roles.has('master'));
    case 'marathon':
      return isMesos && (conf.START_MARATHON ?? roles.has('master'));
    case 'chronos':
      return isMesos && (conf.START_CHRONOS ?? roles.has('master'));
    case 'mesos-slave':
      return isMesos && (conf.START_MESOS_SLAVE ?? roles.has('slave'));
    case 'registrator':
      return roles.has('slave') ? (conf.START_REGISTRATOR ?? true) : roles.has('master') && registerMasters;
    case 'templater':
    case 'haproxy':
      return balances;
    case 'vip-templater':
    case 'keepalived':
      return roles.has('edge') && vip !== undefined;
  }
}

/** The address that this node's HAProxy listens on: every one on an edge node, its own elsewhere. Pure. */
export function listenAddress({ conf, answers, address }: Pick<NodeContext, 'conf' | 'answers' | 'address'>): string {
  return conf.LISTEN_IP ?? (answers.roles.has('edge') ? '0.0.0.0' : address);
}

/** The address that the cluster's own daemons listen on: this node's, on an edge node too. Pure. */
export function innerAddress({ conf, address }: Pick<NodeContext, 'conf' | 'address'>): string {
  return conf.LISTEN_IP ?? address;
}

/** Where this node itself finds what listens on an address. Pure. */
export function askedAt(listen: string): string {
  return listen === '0.0.0.0' ? '127.0.0.1' : listen;
}

/** Consul's domain. Pure. */
export function consulDomain({ IN_DOMAIN }: ClusterConf): string {
  return IN_DOMAIN ?? 'consul';
}

/** Consul's datacenter. Pure. */
export function datacenter({ CONSUL_DC }: ClusterConf): string {
  return CONSUL_DC ?? 'dc1';
}
