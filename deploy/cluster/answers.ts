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

/**
 * The text of restricted/host: the answers, in the words of Toots.conf, so that the next start need not ask. What the other files say already, or
 * is so by default, is left out, so that a change of it there counts here. Pure.
 */
export function hostFileText(answers: Answers, told: ClusterConf): string {
  const { roles } = answers;
  const before = defaultAnswers(told, roles);
  const rolesOfOthers = rolesOf(told);
  const isSlave = roles.has('slave');
  const keys: readonly (readonly [name: string, answer: keyof typeof before, isAsked: boolean])[] = [
    ['START_REGISTRATOR', 'registerMasters', roles.has('master') && !isSlave],
    ['VIP', 'vip', roles.has('edge')],
    ['SLAVE_MODE', 'slaveMode', isSlave],
    ['NFS', 'nfs', isSlave && answers.slaveMode === 'persistent'],
    ['START_DNSMASQ', 'internalDns', isSlave],
    ['DNS_ANSWER', 'dnsAnswer', isSlave && answers.internalDns],
  ];
  const lines = [
    ...(ROLES.every((role) => roles.has(role) === rolesOfOthers.has(role))
      ? []
      : ROLES.map((role) => `${ROLE_KEYS[role]}=${roles.has(role)}`)),
    ...keys.flatMap(([name, answer, isAsked]) =>
      isAsked && answers[answer] !== before[answer] ? [`${name}=${answers[answer] ?? ''}`] : [],
    ),
  ];
  return ['# The answers of this node, written by ./toots.sh; what stands in restricted/overwrite beats them.', ...lines, ''].join('\n');
}
