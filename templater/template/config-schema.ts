import * as v from 'valibot';
import { type FieldsOf, fields } from '../../daemon/fields.ts';
import { durationMs, readAs } from '../../daemon/values.ts';
import type { EnvRules } from './environment.ts';
import { parseSignal, parseWait } from './settings.ts';

/** A value that reads as `read` says; undefined is refused with `message`. */
const told = <Value>(message: string, read: (given: unknown) => Value | undefined) => v.pipe(v.unknown(), readAs(read, message));

const anyText = v.string('must be a text');
const text = v.pipe(anyText, v.nonEmpty('must not be empty'));
const onOff = v.boolean('must be true or false');
const number = told('must be a name or a number', (given) =>
  typeof given === 'string' || typeof given === 'number' ? String(given) : undefined,
);
const durationText = told('must be a duration such as 500ms, 10s or 2m30s', (given) => durationMs(String(given)));
const commandText = told('must be a command, or a list of its words', (given): string | readonly string[] | undefined =>
  Array.isArray(given)
    ? given.length > 0 && given.every((word) => typeof word === 'string')
      ? given
      : undefined
    : typeof given === 'string' && given !== ''
      ? given
      : undefined,
);
const waitText = told('must be MIN, MIN:MAX, such as 2s:10s, or {min, max}', (given) => {
  if (typeof given !== 'object' || given === null) return parseWait(String(given));
  const { min, max } = given as { min?: unknown; max?: unknown };
  return parseWait(max === undefined ? String(min) : `${min}:${max}`);
});
const permissions = told('must be permissions such as "0644"', (given) => {
  // YAML reads 0644 as a number: 420 in version 1.1, 644 in 1.2, which we take for what was meant.
  const digits = String(given);
  return /^0?[0-7]{3,4}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
});
const signalText = told('must be a signal such as SIGHUP', (given) => (typeof given === 'string' ? parseSignal(given) : undefined));
const backups = told('must be true, false or a number of versions to keep', (given) =>
  typeof given === 'boolean' || (Number.isInteger(given) && Number(given) >= 0 && Number(given) <= 100)
    ? (given as boolean | number)
    : undefined,
);
const textList = v.array(anyText, 'must be a list of texts');
const pairs = v.pipe(
  textList,
  v.checkItems((pair) => /^[^=]+=/.test(pair), 'must be NAME=VALUE'),
);
const anything = v.unknown();

const environment = v.pipe(
  fields({ pristine: onOff, custom: pairs, allowlist: textList, denylist: textList }),
  v.transform(({ pristine = false, custom = [], allowlist = [], denylist = [] }): EnvRules => ({ pristine, custom, allowlist, denylist })),
);

/** consul-template's block for a command; what is for programs that go on running is taken, and has no effect on one that ends. */
const templateExec = fields({
  ...{ command: commandText, timeout: durationText, env: environment },
  ...{ kill_signal: anything, kill_timeout: anything, reload_signal: anything, splay: anything },
});

export const TEMPLATE_FIELDS = {
  ...{ source: text, contents: anyText, key: text, destination: text, create_dest_dirs: onOff },
  ...{ perms: permissions, user: number, group: number, backup: backups, in_place: onOff },
  ...{ check: commandText, check_timeout: durationText },
  ...{ command: commandText, command_timeout: durationText, exec: templateExec, leader: onOff, signal: signalText, pid_file: text },
  ...{ wait: waitText, error_on_missing_key: onOff, trim_blocks: onOff, lstrip_blocks: onOff, sandbox_path: text },
} as const;

export const templateSchema = fields(TEMPLATE_FIELDS);

/** A template as it is configured; the names are consul-template's where it has them. */
export type RawTemplate = FieldsOf<typeof TEMPLATE_FIELDS>;

/** A value that becomes a flag of this name; see settings.ts for what it may be. */
const asFlag = told('must be a single value', (given) =>
  typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean' ? String(given) : undefined,
);
const ssl = fields({ enabled: asFlag, verify: asFlag, cert: asFlag, key: asFlag, ca_cert: asFlag, server_name: asFlag });
const consul = fields({ address: asFlag, token: asFlag, token_file: asFlag, auth: asFlag, ssl });
const exec = fields({
  ...{ command: commandText, kill_signal: asFlag, kill_timeout: asFlag, reload_signal: asFlag, splay: asFlag },
  env: fields({ pristine: asFlag, custom: textList, allowlist: textList, denylist: textList }),
});

/** Keys of consul-template that have no counterpart. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  template: ' (did you mean templates? It is a list here)',
  vault: ' (Vault is not supported)',
  nomad: ' (Nomad is not supported)',
  deduplicate: ' (not needed: watches are cheap)',
  syslog: ' (the log goes to stderr)',
  log_file: ' (the log goes to stderr)',
};

export const CONFIG_FIELDS = {
  consul,
  templates: v.array(templateSchema, 'must be a list of templates'),
  exec,
  wait: v.pipe(
    waitText,
    v.transform(({ minMs, maxMs }) => `${minMs}ms:${maxMs}ms`),
  ),
  ...{ api: asFlag, log_level: asFlag, kill_signal: asFlag, reload_signal: asFlag, pid_file: asFlag },
  ...{ command_interval: asFlag, hold: asFlag, once_timeout: asFlag, render_timeout: asFlag },
} as const;

/** The whole configuration. What is no template is a flag under another name, so that flags and file mean the same. */
export const configSchema = fields(CONFIG_FIELDS, ELSEWHERE);

export type RawConfig = v.InferOutput<typeof configSchema>;
