import { resolve } from 'node:path';
import { z } from 'zod';
import { didYouMean, durationMs } from '../../daemon/settings.ts';
import { parseSignal, parseWait } from './settings.ts';
import { type ActionConfig, TEMPLATE_DEFAULTS, type TemplateConfig } from './template-config.ts';

const told = (message: string) => ({ error: message });
const text = z.string(told('must be a text')).min(1, told('must not be empty'));
const onOff = z.boolean(told('must be true or false'));
const durationText = z
  .union([z.string(), z.number()], told('must be a duration such as 500ms, 10s or 2m30s'))
  .transform((value, context) => durationMs(String(value)) ?? refuse(context, 'must be a duration such as 500ms, 10s or 2m30s'));
const commandText = z.union([text, z.array(z.string()).min(1)], told('must be a command, or a list of its words'));
const waitText = z
  .union([z.string(), z.strictObject({ min: z.string(), max: z.string().optional() })], told('must be MIN, MIN:MAX or {min, max}'))
  .transform((value, context) => {
    const words = typeof value === 'string' ? value : [value.min, ...(value.max === undefined ? [] : [value.max])].join(':');
    return parseWait(words) ?? refuse(context, 'must be MIN or MIN:MAX, such as 2s:10s');
  });
const permissions = z.union([z.string(), z.number()], told('must be permissions such as "0644"')).transform((value, context) => {
  // YAML reads 0644 as a number: 420 in version 1.1, 644 in 1.2, which we take for what was meant.
  const digits = String(value);
  return /^0?[0-7]{3,4}$/.test(digits) ? Number.parseInt(digits, 8) : refuse(context, 'must be permissions such as "0644"');
});
const signalText = z.string().transform((value, context) => parseSignal(value) ?? refuse(context, 'must be a signal such as SIGHUP'));
const number = z.union([z.string(), z.number()]).transform(String);

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

/** A template in the configuration; the names are consul-template's where it has them. */
const templateSchema = z.strictObject({
  source: text.optional(),
  contents: z.string().optional(),
  key: text.optional(),
  destination: text,
  create_dest_dirs: onOff.optional(),
  perms: permissions.optional(),
  user: number.optional(),
  group: number.optional(),
  backup: z.union([onOff, z.int().min(0).max(100)], told('must be true, false or a number of versions to keep')).optional(),
  in_place: onOff.optional(),
  check: commandText.optional(),
  check_timeout: durationText.optional(),
  command: commandText.optional(),
  command_timeout: durationText.optional(),
  leader: onOff.optional(),
  signal: signalText.optional(),
  pid_file: text.optional(),
  wait: waitText.optional(),
  error_on_missing_key: onOff.optional(),
  trim_blocks: onOff.optional(),
  lstrip_blocks: onOff.optional(),
  sandbox_path: text.optional(),
});

/** A value that becomes a flag of this name; see settings.ts for what it may be. */
const asFlag = z.union([z.string(), z.number(), z.boolean()], told('must be a single value')).transform(String);
const sslSchema = z.strictObject({
  ...{ enabled: asFlag.optional(), verify: asFlag.optional(), cert: asFlag.optional(), key: asFlag.optional() },
  ...{ ca_cert: asFlag.optional(), server_name: asFlag.optional() },
});

/** The whole configuration. What is no template is a flag under another name, so that flags and file mean the same. */
export const configSchema = z.strictObject({
  consul: z
    .strictObject({
      ...{ address: asFlag.optional(), token: asFlag.optional(), token_file: asFlag.optional(), auth: asFlag.optional() },
      ssl: sslSchema.optional(),
    })
    .optional(),
  templates: z.array(templateSchema, told('must be a list of templates')).optional(),
  exec: z
    .strictObject({
      ...{ command: asFlag.optional(), kill_signal: asFlag.optional(), kill_timeout: asFlag.optional() },
      ...{ reload_signal: asFlag.optional(), splay: asFlag.optional() },
    })
    .optional(),
  wait: waitText.transform(({ minMs, maxMs }) => `${minMs}ms:${maxMs}ms`).optional(),
  api: asFlag.optional(),
  log_level: asFlag.optional(),
  kill_signal: asFlag.optional(),
  reload_signal: asFlag.optional(),
  pid_file: asFlag.optional(),
  command_interval: asFlag.optional(),
  hold: asFlag.optional(),
  once_timeout: asFlag.optional(),
  render_timeout: asFlag.optional(),
});

export type RawConfig = z.output<typeof configSchema>;

/** Where in the configuration a flag comes from, by its path. */
const FLAG_NAMES: Readonly<Record<string, string>> = {
  'consul.address': 'consul-addr',
  'consul.ssl.enabled': 'consul-ssl',
  'exec.command': 'exec',
};

/** The flags that the configuration stands for. Pure. */
export function configFlags(config: RawConfig, path: readonly string[] = []): readonly string[] {
  return Object.entries(config).flatMap(([name, value]) => {
    if (name === 'templates' || value === undefined) return [];
    const here = [...path, name];
    if (typeof value === 'object') return configFlags(value as RawConfig, here);
    return [`-${FLAG_NAMES[here.join('.')] ?? here.join('-').replaceAll('_', '-')}=${value}`];
  });
}

/** What is wrong with a configuration, a line each: where, what, and the nearest known key. Pure. */
export function configProblems(error: z.ZodError): readonly string[] {
  return error.issues.flatMap((issue) => {
    const where = issue.path
      .map((part, at) => (typeof part === 'number' ? `[${part + 1}]` : `${at > 0 ? '.' : ''}${String(part)}`))
      .join('');
    if (issue.code !== 'unrecognized_keys') return [`${where === '' ? '' : `${where}: `}${issue.message}`];
    const known = knownKeys(issue.path);
    return issue.keys.map(
      (key) => `${where === '' ? '' : `${where}: `}unknown key ${JSON.stringify(key)}${didYouMean(key, known, '') || ELSEWHERE[key] || ''}`,
    );
  });
}

/** Keys of consul-template that have no counterpart. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  template: ' (did you mean templates? It is a list here)',
  vault: ' (Vault is not supported)',
  nomad: ' (Nomad is not supported)',
  deduplicate: ' (not needed: watches are cheap)',
  syslog: ' (the log goes to stderr)',
  log_file: ' (the log goes to stderr)',
};

function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  const [first, second] = path;
  if (first === undefined) return Object.keys(configSchema.shape);
  if (first === 'templates') return Object.keys(templateSchema.shape);
  if (second === 'ssl') return Object.keys(sslSchema.shape);
  return first === 'consul' ? Object.keys(configSchema.shape.consul.unwrap().shape) : Object.keys(configSchema.shape.exec.unwrap().shape);
}

const TIMEOUT_MS = 30_000;

/** A template of the configuration, or what is wrong with it as a whole. Relative paths start in `folder`. Pure. */
export function templateOf(raw: z.output<typeof templateSchema>, folder: string): TemplateConfig | string {
  const sources = [raw.source, raw.contents, raw.key].filter((value) => value !== undefined);
  if (sources.length !== 1) return 'needs exactly one of source, contents and key';
  if (raw.command !== undefined && raw.signal !== undefined) return 'has both a command and a signal: give one of them';
  if ((raw.signal === undefined) !== (raw.pid_file === undefined)) return 'signal and pid_file belong together';
  if (raw.leader === true && raw.command === undefined) return 'leader: true needs a command';
  const source: TemplateConfig['source'] =
    raw.source !== undefined
      ? { kind: 'file', path: resolve(folder, raw.source) }
      : raw.key !== undefined
        ? { kind: 'key', path: raw.key.replace(/^\//, '') }
        : { kind: 'contents', text: raw.contents ?? '', folder };
  return {
    ...TEMPLATE_DEFAULTS,
    source,
    destination: resolve(folder, raw.destination),
    createDestDirs: raw.create_dest_dirs ?? true,
    perms: raw.perms,
    user: raw.user,
    group: raw.group,
    backups: typeof raw.backup === 'number' ? raw.backup : raw.backup === true ? 1 : 0,
    inPlace: raw.in_place ?? false,
    check: raw.check === undefined ? undefined : { command: raw.check, timeoutMs: raw.check_timeout ?? TIMEOUT_MS },
    action: actionOf(raw),
    wait: raw.wait,
    errorOnMissingKey: raw.error_on_missing_key ?? false,
    trimBlocks: raw.trim_blocks ?? false,
    lstripBlocks: raw.lstrip_blocks ?? false,
    sandboxPath: raw.sandbox_path === undefined ? undefined : resolve(folder, raw.sandbox_path),
  };
}

function actionOf({
  command,
  command_timeout: timeoutMs = TIMEOUT_MS,
  leader,
  signal,
  pid_file: pidFile,
}: z.output<typeof templateSchema>): ActionConfig | undefined {
  if (command !== undefined) return { kind: 'command', command, timeoutMs, isForLeader: leader ?? false };
  return signal === undefined || pidFile === undefined ? undefined : { kind: 'signal', signal, pidFile };
}
