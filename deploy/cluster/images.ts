import type { ClusterConf } from './conf.ts';
import type { DaemonName } from './daemon.ts';

/** Our own images, by the daemons that run in them: a target of compose/Dockerfile each. */
export const OWN_IMAGES = {
  consul: 'consul',
  dnsmasq: 'dnsmasq',
  registrator: 'registrator',
  templater: 'haproxy',
  haproxy: 'haproxy',
  'vip-templater': 'haproxy',
  keepalived: 'keepalived',
} as const satisfies Partial<Record<DaemonName, string>>;

/** User and group of the programs in our images. */
export const TOOTS_ID = 7171;

/** What others publish, pinned. */
const UPSTREAM = {
  zookeeper: 'zookeeper:3.8.4',
  'mesos-master': 'mesosphere/mesos-master:1.7.1',
  'mesos-slave': 'mesosphere/mesos-slave:1.7.1',
  marathon: 'mesosphere/marathon:v1.11.24',
  chronos: 'mesosphere/chronos:v3.0.2',
} as const;

/** The name that the private registry is reached by; by default the original's. Pure. */
export function registryName({ REGISTRY_NAME }: ClusterConf): string {
  return REGISTRY_NAME ?? 'registry.super.com';
}

/** The image of a daemon: the one that Toots.conf names, else ours or upstream's, from the private registry where there is one. Pure. */
export function imageOf(name: DaemonName, conf: ClusterConf, version: string): string {
  const named = conf.daemons[name].image;
  if (named !== undefined) return named;
  const registry = conf.REGISTRY_IP === undefined ? '' : `${registryName(conf)}/`;
  return `${registry}${isOwn(name) ? `toots/${OWN_IMAGES[name]}:${version}` : UPSTREAM[name]}`;
}

function isOwn(name: DaemonName): name is keyof typeof OWN_IMAGES {
  return name in OWN_IMAGES;
}
