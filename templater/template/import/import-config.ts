import { stringify } from 'yaml';
import { type HclBlock, type HclValue, parseHcl } from './hcl.ts';

/** A consul-template configuration as ours, and what cannot be taken over. */
export interface Imported {
  readonly config: Readonly<Record<string, unknown>>;
  /** A line each: where, and what to do. */
  readonly byHand: readonly string[];
}

/** What becomes of a key: its name here, or why there is none. */
type Row =
  | { readonly to: string; readonly change?: (value: HclValue) => unknown }
  | { readonly byHand: string }
  | { readonly silent: true };

const same = (to: string): Row => ({ to });
const plain = (value: HclValue): unknown => (isBlock(value) ? undefined : value);
/** Of a block its fields, which are named here as there; nothing of one that is switched off. */
const fieldsIn = (value: HclValue): unknown => (isBlock(value) ? (isOff(value) ? undefined : nested(value)) : value);

const CONSUL: Readonly<Record<string, Row>> = {
  address: same('address'),
  token: same('token'),
  token_file: same('token_file'),
  namespace: { byHand: 'give ns in the queries: service("web?ns=NAME")' },
  retry: { silent: true },
  transport: { silent: true },
};
const SSL: Readonly<Record<string, Row>> = {
  ...{
    enabled: same('enabled'),
    verify: same('verify'),
    cert: same('cert'),
    key: same('key'),
    ca_cert: same('ca_cert'),
    server_name: same('server_name'),
  },
  ca_path: { byHand: 'give one file as ca_cert' },
};
const TEMPLATE: Readonly<Record<string, Row>> = {
  ...{ source: same('source'), contents: same('contents'), destination: same('destination'), create_dest_dirs: same('create_dest_dirs') },
  perms: { to: 'perms', change: (value) => (typeof value === 'number' ? value.toString(8).padStart(4, '0') : value) },
  ...{ user: same('user'), group: same('group'), uid: same('user'), gid: same('group'), backup: same('backup') },
  ...{ command: same('command'), command_timeout: same('command_timeout'), error_on_missing_key: same('error_on_missing_key') },
  sandbox_path: same('sandbox_path'),
  wait: { to: 'wait', change: fieldsIn },
  map_to_environment_variable: { byHand: 'give the supervised program the file: no variable of it is made of a template' },
  left_delimiter: { byHand: 'Nunjucks has {{ }} and {% %}; {% raw %} keeps them as text' },
  right_delimiter: { silent: true },
  error_fatal: { silent: true },
  function_denylist: { byHand: 'there is no list of forbidden functions; plugin, writeToFile and Vault are absent anyway' },
  function_blacklist: { byHand: 'there is no list of forbidden functions; plugin, writeToFile and Vault are absent anyway' },
  exec: { to: 'exec', change: fieldsIn },
};
const EXEC: Readonly<Record<string, Row>> = {
  command: same('command'),
  ...{ kill_signal: same('kill_signal'), kill_timeout: same('kill_timeout'), reload_signal: same('reload_signal'), splay: same('splay') },
  env: { to: 'env', change: fieldsIn },
  enabled: { silent: true },
  timeout: { byHand: 'the supervised program may run for as long as it likes' },
};
const GLOBAL: Readonly<Record<string, Row>> = {
  ...{ kill_signal: same('kill_signal'), reload_signal: same('reload_signal'), pid_file: same('pid_file') },
  log_level: { to: 'log_level', change: (value) => String(value).toLowerCase() },
  wait: { to: 'wait', change: fieldsIn },
  max_stale: { silent: true },
  block_query_wait: { silent: true },
  template_error_fatal: { silent: true },
  deduplicate: { byHand: 'not needed: watches are cheap. Give leader: true to a command that only one node may run' },
  vault: { byHand: 'Vault is not supported: let a Vault agent write files, and read them with file()' },
  nomad: { byHand: 'Nomad is not supported' },
  syslog: { byHand: 'the log is JSON on stderr; send it on with your supervisor' },
  log_file: { byHand: 'the log is JSON on stderr; send it on with your supervisor' },
  default_delimiters: { byHand: 'Nunjucks has {{ }} and {% %}; {% raw %} keeps them as text' },
  err_on_failed_lookup: { silent: true },
};

/** Turns a configuration of consul-template into ours. Pure. @throws SyntaxError when it is no HCL. */
export function importConfiguration(text: string): Imported {
  const byHand: string[] = [];
  const config: Record<string, unknown> = {};
  const templates: Record<string, unknown>[] = [];
  const rest: HclBlock['entries'][number][] = [];
  for (const entry of parseHcl(text).entries) {
    for (const block of blocksOf(entry.value)) {
      if (entry.name === 'template' || entry.name === 'templates') templates.push(rowsOf(unlabelled(block), TEMPLATE, 'template', byHand));
      else if (entry.name === 'consul') config['consul'] = { ...(config['consul'] as object), ...consulOf(block, byHand) };
      else if (entry.name === 'exec' && isOff(block)) continue;
      else if (entry.name === 'exec') config['exec'] = rowsOf(block, EXEC, 'exec', byHand);
      else continue;
    }
    if (!['template', 'templates', 'consul', 'exec'].includes(entry.name)) rest.push(entry);
    else if (entry.name === 'consul' && typeof entry.value === 'string') config['consul'] = { address: entry.value };
  }
  Object.assign(config, rowsOf({ entries: rest }, GLOBAL, '', byHand));
  if (templates.length > 0) config['templates'] = templates;
  for (const { source } of templates)
    if (typeof source === 'string') byHand.push(`${source}: write it in Nunjucks; Go templates are not translated`);
  for (const { contents, destination } of templates) {
    if (typeof contents === 'string' && contents.includes('{{')) byHand.push(`contents of ${String(destination)}: write them in Nunjucks`);
  }
  return { config, byHand };
}

function consulOf(block: HclBlock, byHand: string[]): Record<string, unknown> {
  const own = block.entries.filter(({ name }) => name !== 'ssl' && name !== 'auth');
  const consul = rowsOf({ entries: own }, CONSUL, 'consul', byHand);
  for (const { name, value } of block.entries) {
    for (const part of blocksOf(value)) {
      if (name === 'ssl') consul['ssl'] = rowsOf(part, SSL, 'consul.ssl', byHand);
      const auth = new Map(part.entries.map((entry) => [entry.name, entry.value]));
      if (name === 'auth' && auth.get('enabled') !== false) consul['auth'] = `${auth.get('username')}:${auth.get('password')}`;
    }
  }
  return consul;
}

function rowsOf(block: HclBlock, rows: Readonly<Record<string, Row>>, where: string, byHand: string[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { name, value, line } of block.entries) {
    const row = rows[name];
    const at = `line ${line}: ${where === '' ? '' : `${where}.`}${name}`;
    if (row === undefined) byHand.push(`${at}: unknown`);
    else if ('byHand' in row) byHand.push(`${at}: ${row.byHand}`);
    else if ('to' in row) {
      const read = (row.change ?? plain)(value);
      if (read !== undefined) result[row.to] = read;
    }
  }
  return result;
}

/** Former names. */
const RENAMED: Readonly<Record<string, string>> = { whitelist: 'allowlist', blacklist: 'denylist' };

/** A block whose names are the same here, as it is. */
function nested(block: HclBlock): Record<string, unknown> {
  const own = block.entries.filter(({ name }) => name !== 'enabled');
  return Object.fromEntries(own.map(({ name, value }) => [RENAMED[name] ?? name, isBlock(value) ? nested(value) : value]));
}

function isOff({ entries }: HclBlock): boolean {
  return entries.some(({ name, value }) => name === 'enabled' && value === false);
}

/** `template "name" { … }` is the block; its name means nothing. */
function unlabelled(block: HclBlock): HclBlock {
  const [only, ...more] = block.entries;
  return only !== undefined && more.length === 0 && !(only.name in TEMPLATE) && isBlock(only.value) ? only.value : block;
}

/** Several configurations as one, as consul-template takes them: all templates, and of the rest what comes last. Pure. */
export function mergedImport(parts: readonly Imported[]): Imported {
  const templates = parts.flatMap(({ config }) => (config['templates'] ?? []) as readonly unknown[]);
  const config = deeplyMerged(parts.map((part) => part.config));
  return {
    config: { ...config, ...(templates.length > 0 && { templates }) },
    byHand: parts.flatMap(({ byHand }) => byHand),
  };
}

function deeplyMerged(maps: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, unknown>> {
  const merged: Record<string, unknown> = {};
  for (const map of maps) {
    for (const [key, value] of Object.entries(map)) {
      const before = merged[key];
      merged[key] = isPlainMap(before) && isPlainMap(value) ? deeplyMerged([before, value]) : value;
    }
  }
  return merged;
}

function isPlainMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function blocksOf(value: HclValue): readonly HclBlock[] {
  return Array.isArray(value) ? value.filter(isBlock) : isBlock(value) ? [value] : [];
}

function isBlock(value: unknown): value is HclBlock {
  return typeof value === 'object' && value !== null && 'entries' in value && !Array.isArray(value);
}

/** The configuration as YAML; what is left to do stands above it, as comments. */
export function importedText({ config, byHand }: Imported): string {
  const notes = byHand.length === 0 ? '' : `# Left to do by hand:\n${byHand.map((note) => `# - ${note}\n`).join('')}\n`;
  return `${notes}${stringify(config, { lineWidth: 0 })}`;
}
