import { ipVersion } from '../../model/ip-address.ts';
import type { Answers } from './answers.ts';
import type { ClusterConf } from './conf.ts';
import { ROLE_CHOICES, type Role, type Roles, shownRoles } from './roles.ts';

/** What is known before a question is asked. */
export interface Asked {
  readonly isMaster: boolean;
  readonly roles: Roles;
  readonly answers: Omit<Answers, 'roles'>;
  /** What Toots.conf says: a VIP and a share of it are not asked for. */
  readonly told: Pick<ClusterConf, 'VIP' | 'NFS'>;
}

/** A question with numbered answers, or with a line of text as answer. */
export type Question = {
  readonly title: string;
  /** When it is asked. */
  readonly when: (asked: Asked) => boolean;
  /** The flag and the environment variable that answer it. */
  readonly flag: string;
  readonly env: string;
} & (
  | {
      readonly kind: 'choice';
      readonly choices: (asked: Asked) => readonly Choice[];
      /** Index of the answer that an empty line gives. */
      readonly fallback: (asked: Asked) => number;
    }
  | {
      readonly kind: 'text';
      /** What may be typed; `before` is what an empty line gives. */
      readonly hint: (before: string) => string;
      readonly fallback: (asked: Asked) => string;
      /** What is wrong with a text; undefined when nothing is. */
      readonly refuse: (text: string) => string | undefined;
      readonly answer: (text: string) => Effect;
    }
);

/** What an answer changes. */
export type Effect = Partial<Answers>;

export interface Choice {
  readonly title: string;
  readonly effect: Effect;
}

/** Every question, in order, as the original asked them; Master + Edge and the answer of the DNS are new. */
export const QUESTIONS: readonly Question[] = [
  {
    kind: 'choice',
    title: 'Install Mode',
    when: () => true,
    flag: 'roles',
    env: 'TOOTS_ROLES',
    choices: ({ isMaster }) =>
      ROLE_CHOICES[isMaster ? 'master' : 'other'].map((roles) => ({
        title: roles.map(capital).join(' + '),
        effect: { roles: new Set<Role>(roles) },
      })),
    fallback: ({ isMaster, roles }) =>
      Math.max(
        0,
        ROLE_CHOICES[isMaster ? 'master' : 'other'].findIndex((choice) => shownRoles(choice) === shownRoles(roles)),
      ),
  },
  {
    kind: 'choice',
    title: 'Register the masters’ pages, so that the edge serves them',
    when: ({ roles }) => roles.has('master') && !roles.has('slave'),
    flag: 'register-masters',
    env: 'START_REGISTRATOR',
    choices: () => [
      { title: 'Yes', effect: { registerMasters: true } },
      { title: 'No', effect: { registerMasters: false } },
    ],
    fallback: ({ answers }) => (answers.registerMasters ? 0 : 1),
  },
  {
    kind: 'text',
    title: 'VIP',
    hint: (before) => `an address that the edge nodes share; ${before === '' ? 'empty for none' : `empty for ${before}, - for none`}`,
    when: ({ roles, told }) => roles.has('edge') && told.VIP === undefined,
    flag: 'vip',
    env: 'VIP',
    fallback: ({ answers }) => answers.vip ?? '',
    refuse: (text) => (['', '-'].includes(text) || ipVersion(text) === 4 ? undefined : 'must be an IPv4 address'),
    answer: (text) => ({ vip: ['', '-'].includes(text) ? undefined : text }),
  },
  {
    kind: 'choice',
    title: 'Slave Node Mode',
    when: ({ roles }) => roles.has('slave'),
    flag: 'slave-mode',
    env: 'SLAVE_MODE',
    choices: () => [
      { title: 'Stateless', effect: { slaveMode: 'stateless' } },
      { title: 'Persistent, with /var/store on NFS', effect: { slaveMode: 'persistent' } },
    ],
    fallback: ({ answers }) => (answers.slaveMode === 'stateless' ? 0 : 1),
  },
  {
    kind: 'text',
    title: 'NFS',
    hint: (before) => `HOST:/FOLDER that is mounted on /var/store${before === '' ? '' : `; empty for ${before}`}`,
    when: ({ roles, answers, told }) => roles.has('slave') && answers.slaveMode === 'persistent' && told.NFS === undefined,
    flag: 'nfs',
    env: 'NFS',
    fallback: ({ answers }) => answers.nfs ?? '',
    refuse: (text) => (/^[A-Za-z0-9.:-]+:\/[A-Za-z0-9._/-]*$/.test(text) ? undefined : 'must be HOST:/FOLDER'),
    answer: (text) => ({ nfs: text }),
  },
  {
    kind: 'choice',
    title: 'Internal DNS and Balancing',
    when: ({ roles }) => roles.has('slave'),
    flag: 'internal-dns',
    env: 'START_DNSMASQ',
    choices: () => [
      { title: 'Disable', effect: { internalDns: false } },
      { title: 'Enable', effect: { internalDns: true } },
    ],
    fallback: ({ answers }) => (answers.internalDns ? 1 : 0),
  },
  {
    kind: 'choice',
    title: 'What the address of a service is there',
    when: ({ roles, answers }) => roles.has('slave') && answers.internalDns,
    flag: 'dns-answer',
    env: 'DNS_ANSWER',
    choices: () => [
      { title: 'This node’s balancer', effect: { dnsAnswer: 'balancer' } },
      { title: 'The instances themselves', effect: { dnsAnswer: 'instances' } },
    ],
    fallback: ({ answers }) => (answers.dnsAnswer === 'balancer' ? 0 : 1),
  },
];

/** What a person typed, as the answer to a question; undefined, with the reason, when it is none. Pure. */
export function parseAnswer(question: Question, typed: string, asked: Asked): { readonly effect: Effect } | { readonly wrong: string } {
  const text = typed.trim();
  if (question.kind === 'text') {
    const wrong = question.refuse(text === '' ? question.fallback(asked) : text);
    return wrong === undefined ? { effect: question.answer(text === '' ? question.fallback(asked) : text) } : { wrong };
  }
  const choices = question.choices(asked);
  const chosen = text === '' ? choices[question.fallback(asked)] : choices.find((_, i) => text === String(i + 1));
  return chosen === undefined ? { wrong: `must be a number from 1 to ${choices.length}` } : { effect: chosen.effect };
}

/** A question as it is shown, with its numbered answers. Pure. */
export function questionText(question: Question, asked: Asked): string {
  if (question.kind === 'text') return `${question.title} (${question.hint(question.fallback(asked))}): `;
  const lines = question.choices(asked).map(({ title }, i) => `  ${i + 1} ${title}${i === question.fallback(asked) ? ' (default)' : ''}`);
  return `${question.title}\n${lines.join('\n')}\n> `;
}

function capital(role: Role): string {
  return role.charAt(0).toUpperCase() + role.slice(1);
}
