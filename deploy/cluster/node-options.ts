import { join, resolve } from 'node:path';
import * as v from 'valibot';
import type { Option, SettingsOf } from '../../daemon/settings.ts';
import { flag, text } from '../../daemon/values.ts';
import { PROJECT_FOLDER } from '../project.ts';
import type { ConfEntry } from './conf-text.ts';
import { parseRoles, ROLES } from './roles.ts';
import { DEFAULT_STATE_DIR } from './write-node.ts';

/** Where this node's files are, for every command. */
export const stateOption = {
  flag: 'state-dir',
  env: ['TOOTS_STATE_DIR'],
  value: 'DIR',
  schema: v.pipe(
    text(DEFAULT_STATE_DIR),
    v.transform((path) => resolve(path)),
  ),
  describe: 'Folder for the Compose file of this node and what its daemons read',
} satisfies Option<string>;

export const confOption = {
  flag: 'conf',
  env: ['TOOTS_CONF'],
  value: 'FILE',
  schema: v.pipe(
    text(),
    v.transform((path) => (path === '' ? join(PROJECT_FOLDER, 'Toots.conf') : resolve(path))),
  ),
  describe: 'The cluster’s configuration; restricted/ is looked for beside it (default Toots.conf in this clone)',
} satisfies Option<string>;

export const yesOption = { flag: 'yes', env: ['TOOTS_YES'], schema: flag(), describe: 'Does it without asking' } satisfies Option<boolean>;

/** Flags that stand for a key of Toots.conf and beat it; their values are checked as those of the file are. */
const KEY_FLAGS = {
  registerMasters: ['register-masters', 'START_REGISTRATOR', 'yes|no', 'Registers the masters’ pages, so that the edge serves them'],
  vip: ['vip', 'VIP', 'ADDRESS', 'Address that the edge nodes share; an empty one takes it back'],
  slaveMode: ['slave-mode', 'SLAVE_MODE', 'stateless|persistent', 'Whether this slave keeps data on /var/store'],
  nfs: ['nfs', 'NFS', 'HOST:/FOLDER', 'What a persistent slave has on /var/store; an empty one takes it back'],
  internalDns: ['internal-dns', 'START_DNSMASQ', 'yes|no', 'DNS and a balancer on this slave'],
  dnsAnswer: ['dns-answer', 'DNS_ANSWER', 'balancer|instances', 'What the address of a service is there'],
  orchestrator: ['orchestrator', 'ORCHESTRATOR', 'marathon|none', 'What starts containers'],
  secure: ['secure', 'SECURE', 'yes|no', 'Encryption and ACLs'],
} as const;

type KeyFlag = keyof typeof KEY_FLAGS;

const keyOption = ([name, key, value, describe]: (typeof KEY_FLAGS)[KeyFlag]): Option<string | undefined> => ({
  flag: name,
  env: [`TOOTS_${key}`],
  value,
  schema: v.optional(v.string()), // an empty one takes a value back, so it is another than none
  describe: `${describe} (${key} of Toots.conf)`,
});

/** The options of every command that plans a node. */
export const nodeOptions = {
  conf: confOption,
  stateDir: stateOption,
  roles: {
    flag: 'roles',
    env: ['TOOTS_ROLES'],
    value: ROLES.join(','),
    schema: text(),
    describe: 'What this node is; by default what was answered before',
  },
  ...(Object.fromEntries(Object.entries(KEY_FLAGS).map(([name, row]) => [name, keyOption(row)])) as Readonly<
    Record<KeyFlag, Option<string | undefined>>
  >),
} satisfies Record<string, Option>;

export type NodeSettings = SettingsOf<typeof nodeOptions>;

/** What flags and environment say, as entries of a configuration. Roles that do not parse are a problem. Pure. */
export function givenEntries(settings: NodeSettings): { readonly entries: readonly ConfEntry[]; readonly problems: readonly string[] } {
  const keys = Object.entries(KEY_FLAGS).flatMap(([name, [flagName, key]]) => {
    const value = settings[name as KeyFlag];
    return value === undefined ? [] : [{ key, value, where: `-${flagName}` }];
  });
  if (settings.roles === '') return { entries: keys, problems: [] };
  const parsed = parseRoles(settings.roles);
  if (parsed.kind === 'wrong') return { entries: keys, problems: [`-roles: ${parsed.why}`] };
  const roles = ROLES.map((role) => ({ key: role.toUpperCase(), value: String(parsed.roles.has(role)), where: '-roles' }));
  return { entries: [...keys, ...roles], problems: [] };
}
