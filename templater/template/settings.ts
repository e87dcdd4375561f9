import * as v from 'valibot';
import type { Option, SettingsOf } from '../../daemon/settings.ts';
import { duration, durationMs, flag, readAs, text, texts } from '../../daemon/values.ts';
import type { WaitConfig } from './template-config.ts';

/** One `-template IN:OUT:COMMAND`. */
export interface TemplateFlag {
  readonly source: string;
  readonly destination: string;
  readonly command: string | undefined;
}

/** Reads `IN:OUT` or `IN:OUT:COMMAND`; further colons are the command's. Undefined for anything else. Pure. */
export function parseTemplateFlag(value: string): TemplateFlag | undefined {
  const [source = '', destination = '', ...rest] = value.split(':');
  const command = rest.join(':').trim();
  if (source === '' || destination === '') return undefined;
  return { source, destination, command: command === '' ? undefined : command };
}

/** Reads `MIN` or `MIN:MAX`; the most is four times the least unless said. Undefined for anything else. Pure. */
export function parseWait(value: string): WaitConfig | undefined {
  const [least = '', most, ...rest] = value.split(':');
  const minMs = durationMs(least);
  const maxMs = most === undefined ? (minMs ?? 0) * 4 : durationMs(most);
  return minMs === undefined || maxMs === undefined || maxMs < minMs || rest.length > 0 ? undefined : { minMs, maxMs };
}

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGKILL', 'SIGWINCH', 'SIGCONT'] as const;

/** A signal's name, with or without SIG; undefined for none. */
export function parseSignal(value: string): NodeJS.Signals | undefined {
  const name = value.toUpperCase();
  return SIGNALS.find((known) => known === name || known === `SIG${name}`);
}

const signalName = (fallback: string) =>
  v.pipe(
    text(fallback),
    readAs((name: string) => (name === '' ? '' : parseSignal(name)), `must be one of ${SIGNALS.join(', ')}`),
  );

/** Accepted so that a command line of consul-template runs; says what is otherwise here. */
const without = (name: string, value: string | undefined, why: string): Option => ({
  flag: name,
  ...(value !== undefined && { value }),
  schema: v.pipe(
    v.unknown(),
    v.transform(() => undefined),
  ),
  describe: `Has no effect: ${why}`,
});

/** The options of the template engine, consul-template's as far as they mean something here. */
export const templateSettings = {
  templates: {
    flag: 'template',
    value: 'IN:OUT[:COMMAND]',
    many: true,
    schema: v.pipe(
      texts(),
      v.checkItems(
        (value) => parseTemplateFlag(value) !== undefined,
        ({ input }) => `must be IN:OUT or IN:OUT:COMMAND, not ${JSON.stringify(input)}`,
      ),
      v.transform((values) => values.flatMap((value) => parseTemplateFlag(value) ?? [])),
    ),
    describe: 'A Nunjucks template, the file it is rendered to, and a command to run when that changed; may be given several times',
  },
  configs: {
    flag: 'config',
    env: ['TOOTS_TEMPLATER_CONFIG'],
    value: 'PATH',
    many: true,
    schema: texts(),
    describe: 'Configuration, YAML or JSON: a file, or a folder of them; may be given several times, later ones win',
  },
  once: { flag: 'once', schema: flag(), describe: 'Renders everything once, runs the commands, and ends' },
  onceTimeoutMs: {
    flag: 'once-timeout',
    value: 'DURATION',
    schema: duration('60s'),
    describe: 'How long -once waits for what is missing before it lists that and ends with 1',
  },
  dry: { flag: 'dry', schema: flag(), describe: 'Prints what would be written, and writes and runs nothing' },
  dryRun: {
    flag: 'dry-run',
    schema: flag(),
    describe:
      'Prints what would be written (a unified diff), or with -edge be told to HAProxy and why; changes nothing, and ends with 2 when there is something',
  },
  parseOnly: {
    flag: 'parse-only',
    schema: flag(),
    describe: 'Reads the configuration and the templates, tells what is wrong with them, and ends',
  },
  exec: {
    flag: 'exec',
    value: 'COMMAND',
    schema: text(),
    describe: 'Program to supervise: started when everything is rendered, told of changes',
  },
  execKillSignal: { flag: 'exec-kill-signal', value: 'SIGNAL', schema: signalName('SIGINT'), describe: 'Signal that ends the program' },
  execKillTimeoutMs: {
    flag: 'exec-kill-timeout',
    value: 'DURATION',
    schema: duration('30s'),
    describe: 'How long the program may take to end before it is killed',
  },
  execReloadSignal: {
    flag: 'exec-reload-signal',
    value: 'SIGNAL',
    schema: signalName(''),
    describe: 'Signal that tells the program of a change; without one it is started anew',
  },
  execSplayMs: {
    flag: 'exec-splay',
    value: 'DURATION',
    schema: duration('0'),
    describe: 'A random time up to this is waited before the program is told of a change',
  },
  execEnvPristine: {
    flag: 'exec-env-pristine',
    schema: flag(),
    describe: 'The program gets nothing of the templater’s environment but what is said of Consul and by -exec-env-custom',
  },
  execEnvCustom: {
    flag: 'exec-env-custom',
    value: 'NAME=VALUE',
    many: true,
    schema: v.pipe(
      texts(),
      v.checkItems(
        (pair) => /^[^=]+=/.test(pair),
        ({ input }) => `must be NAME=VALUE, not ${JSON.stringify(input)}`,
      ),
    ),
    describe: 'Added to the program’s environment; may be given several times',
  },
  execEnvAllowlist: {
    flag: 'exec-env-allowlist',
    aliases: ['exec-env-whitelist'],
    value: 'PATTERN',
    many: true,
    schema: texts(),
    describe: 'The program gets only variables of such a name, such as AWS_*; may be given several times',
  },
  execEnvDenylist: {
    flag: 'exec-env-denylist',
    aliases: ['exec-env-blacklist'],
    value: 'PATTERN',
    many: true,
    schema: texts(),
    describe: 'The program gets no variables of such a name; may be given several times',
  },
  wait: {
    flag: 'wait',
    value: 'MIN[:MAX]',
    schema: v.optional(v.pipe(v.string(), readAs(parseWait, 'must be MIN or MIN:MAX, such as 2s:10s'))),
    describe: 'Quiet time after a change before templates are rendered again, and the most that is waited for it',
  },
  commandIntervalMs: {
    flag: 'command-interval',
    value: 'DURATION',
    schema: duration('1s'),
    describe: 'Least time between two runs of one command; the first change runs it at once',
  },
  holdMs: {
    flag: 'hold',
    env: ['TOOTS_HOLD'],
    value: 'DURATION',
    schema: duration('5m'),
    describe:
      'How long a change is withheld that looks like an outage of Consul, such as a catalog that became empty; with -edge, how long such instances stay',
  },
  renderLimitMs: {
    flag: 'render-timeout',
    value: 'DURATION',
    schema: v.pipe(
      duration('2s'),
      v.check((ms) => ms >= 1, 'must be at least 1ms'),
    ),
    describe: 'How long rendering a template may take',
  },
  reloadSignal: {
    flag: 'reload-signal',
    value: 'SIGNAL',
    schema: signalName('SIGHUP'),
    describe: 'Signal that has the configuration read again',
  },
  killSignal: {
    flag: 'kill-signal',
    value: 'SIGNAL',
    schema: signalName('SIGINT'),
    describe: 'A further signal that ends the templater, besides TERM and INT',
  },
  pidFile: { flag: 'pid-file', value: 'FILE', schema: text(), describe: 'File that holds the process id while the templater runs' },
  retry: without('consul-retry', undefined, 'Consul is asked for ever'),
  retryAttempts: without('consul-retry-attempts', 'N', 'Consul is asked for ever'),
  retryBackoff: without('consul-retry-backoff', 'DURATION', 'pauses go from 250 ms to 10 s'),
  retryMaxBackoff: without('consul-retry-max-backoff', 'DURATION', 'pauses go from 250 ms to 10 s'),
  maxStale: without('max-stale', 'DURATION', 'the agent answers by its own consistency mode'),
  dedup: without('dedup', undefined, 'watches are cheap enough for every node to have its own'),
  templateErrorFatal: without('template-error-fatal', undefined, 'a broken template never ends the others'),
  leftDelimiter: without('default-left-delimiter', 'TEXT', 'templates are Nunjucks'),
  rightDelimiter: without('default-right-delimiter', 'TEXT', 'templates are Nunjucks'),
  caPath: without('consul-ssl-ca-path', 'DIR', 'give the file with -consul-ssl-ca-cert'),
  dialKeepAlive: without('consul-transport-dial-keep-alive', 'DURATION', 'connections are kept'),
  dialTimeout: without('consul-transport-dial-timeout', 'DURATION', 'every request has a time limit'),
  disableKeepAlives: without('consul-transport-disable-keep-alives', undefined, 'connections are kept, and at most 20'),
  maxIdleConns: without('consul-transport-max-idle-conns-per-host', 'N', 'connections are kept, and at most 20'),
  tlsHandshakeTimeout: without('consul-transport-tls-handshake-timeout', 'DURATION', 'every request has a time limit'),
} satisfies Record<string, Option>;

/** What the template engine is told on the command line. */
export type TemplateSettings = SettingsOf<typeof templateSettings>;
