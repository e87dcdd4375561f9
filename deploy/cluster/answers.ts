import type { ClusterConf } from './conf.ts';
import { ROLES, type Role, type Roles } from './roles.ts';

/** What the questions decide for one node. */
export interface Answers {
  readonly roles: Roles;
  /** Whether a master that is no slave runs a registrator, so that the masters' pages are reached through the edge. */
  readonly registerMasters: boolean;
  readonly vip: string | undefined;
  readonly slaveMode: 'stateless' | 'persistent';
  readonly nfs: string | undefined;
  readonly internalDns: boolean;
  /** What A of a service gives where internal DNS is on. */
  readonly dnsAnswer: 'balancer' | 'instances';
}

/** What a configuration says already, with the defaults for what it does not; undefined without a role. Pure. */
export function answersOf(conf: ClusterConf): Answers | undefined {
  const roles = rolesOf(conf);
  if (roles.size === 0) return undefined;
  return { roles, ...defaultAnswers(conf, roles) };
}

/** The roles that a configuration names. Pure. */
function rolesOf(conf: ClusterConf): Roles {
  return new Set(ROLES.filter((role) => conf[ROLE_KEYS[role]] === true));
}

const ROLE_KEYS = { master: 'MASTER', slave: 'SLAVE', edge: 'EDGE' } as const satisfies Readonly<Record<Role, keyof ClusterConf>>;

/** The answers that a configuration gives to every question but the first. Pure. */
export function defaultAnswers(conf: ClusterConf, roles: Roles): Omit<Answers, 'roles'> {
  return {
    registerMasters: conf.START_REGISTRATOR ?? true,
    vip: roles.has('edge') ? conf.VIP : undefined,
    slaveMode: conf.SLAVE_MODE ?? 'stateless',
    nfs: conf.NFS,
    internalDns: conf.START_DNSMASQ ?? false,
    dnsAnswer: conf.DNS_ANSWER ?? 'balancer',
  };
}

/** The text of restricted/host: the answers, in the words of Toots.conf, so that the next start need not ask. Pure. */
export function hostFileText(answers: Answers): string {
  const { roles, registerMasters, vip, slaveMode, nfs, internalDns, dnsAnswer } = answers;
  const lines: readonly (readonly [string, string | boolean | undefined])[] = [
    ...ROLES.map((role) => [ROLE_KEYS[role], roles.has(role)] as const),
    ['START_REGISTRATOR', roles.has('master') && !roles.has('slave') ? registerMasters : undefined],
    ['VIP', roles.has('edge') ? vip : undefined],
    ['SLAVE_MODE', roles.has('slave') ? slaveMode : undefined],
    ['NFS', roles.has('slave') && slaveMode === 'persistent' ? nfs : undefined],
    ['START_DNSMASQ', roles.has('slave') ? internalDns : undefined],
    ['DNS_ANSWER', roles.has('slave') && internalDns ? dnsAnswer : undefined],
  ];
  const told = lines.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return ['# The answers of this node, written by ./toots.sh; what stands in restricted/overwrite beats them.', ...told, ''].join('\n');
}
