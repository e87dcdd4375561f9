import { hostname } from 'node:os';
import { CronTime } from 'cron';
import * as v from 'valibot';
import { parseConsulAddress } from '../consul/address.ts';
import { consulSettings } from '../consul/settings.ts';
import { LOG_LEVELS } from '../daemon/log.ts';
import { type Option, type Program, readSettings, type SettingsOf } from '../daemon/settings.ts';
import { addressAndPort, flag, oneOf, readAs, text, texts, wholeNumber } from '../daemon/values.ts';
import { isAddress } from '../model/host-name.ts';
import { isPeriod } from './checks.ts';
import { defaultDockerUrl } from './docker-engine.ts';
import { TemplateError } from './go-template/parse.ts';
import { parseFilter } from './selection.ts';
import { parseTagTemplate } from './tag-template.ts';

const CONSUL_SCHEMES = 'consul://HOST:PORT, consul-tls://HOST:PORT or consul-unix:///PATH';
const DEFAULT_RESYNC_S = 60;
const LONGEST_RESYNC_S = 365 * 24 * 3_600;
const NO_EFFECT = 'Taken for the sake of gliderlabs registrator; changes nothing:';

const ADOPTIONS = ['all', 'list', 'take', 'remove'] as const;

/** gliderlabs registrator's options, then ours. */
const options = {
  ip: {
    flag: 'ip',
    value: 'ADDRESS',
    schema: v.pipe(
      text(),
      v.check((value) => value === '' || isAddress(value), 'must be an IP address or a host name'),
    ),
    describe: 'Registers every service with this address; by default that of the binding, or the one the agent tells others',
  },
  internal: { flag: 'internal', schema: flag(), describe: 'Registers addresses and exposed ports of the containers themselves' },
  explicit: { flag: 'explicit', schema: flag(), describe: 'Registers only ports that SERVICE_NAME or SERVICE_<port>_NAME names' },
  addressLabel: {
    flag: 'useIpFromLabel',
    value: 'LABEL',
    schema: text(),
    describe: 'Label of a container that tells its address; a mask is cut off',
  },
  tags: {
    flag: 'tags',
    value: 'TAGS',
    schema: v.pipe(
      text(),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        try {
          return parseTagTemplate(dataset.value);
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error;
          addIssue({ message: `must be tags, or Go templates of tags: ${error.message}` });
          return NEVER;
        }
      }),
    ),
    describe: 'Further tags of every service, parted by commas; Go templates over the inspected container',
  },
  mergeTags: {
    flag: 'merge-tags',
    schema: flag(),
    describe: 'SERVICE_<port>_TAGS adds to SERVICE_TAGS, its own tags first; by default it stands instead',
  },
  filters: {
    flag: 'filter',
    many: true,
    value: 'KIND=NAME',
    schema: v.pipe(
      texts(),
      v.checkItems((value) => parseFilter(value) !== undefined, 'must be label=KEY, label=KEY=VALUE, project=NAME or network=NAME'),
      v.transform((values) => values.flatMap((value) => parseFilter(value) ?? [])),
    ),
    describe:
      'Registers only containers with such a label, of such a Compose project, on such a network; may be given several times: one of each kind must fit',
  },
  resync: {
    flag: 'resync',
    value: 'SECONDS|CRON',
    schema: v.pipe(
      text(String(DEFAULT_RESYNC_S)),
      readAs(resyncTimes, 'must be seconds, at most 31536000, or a cron expression such as "*/30 * * * * *"'),
    ),
    describe: `How often the engine's list is compared with what is known: every so many seconds (0 means ${DEFAULT_RESYNC_S}), or at the times of a cron expression`,
  },
  deregister: {
    flag: 'deregister',
    value: 'always|on-success',
    schema: oneOf(['always', 'on-success'], 'always'),
    describe: 'Deregisters containers that end always, or keeps those that end with an error, in maintenance',
  },
  ttl: { flag: 'ttl', value: 'SECONDS', schema: wholeNumber(0, 2 ** 31, 0), describe: `${NO_EFFECT} Consul has no TTL of services` },
  ttlRefresh: { flag: 'ttl-refresh', value: 'SECONDS', schema: wholeNumber(0, 2 ** 31, 0), describe: `${NO_EFFECT} see -ttl` },
  retryAttempts: {
    flag: 'retry-attempts',
    value: 'NUMBER',
    schema: wholeNumber(-1, 2 ** 31, -1),
    describe: `${NO_EFFECT} Consul and Docker are waited for as long as it takes`,
  },
  retryInterval: {
    flag: 'retry-interval',
    value: 'MS',
    schema: wholeNumber(1, 2 ** 31, 2_000),
    describe: `${NO_EFFECT} see -retry-attempts`,
  },
  cleanup: { flag: 'cleanup', schema: flag(), describe: `${NO_EFFECT} services of ours without a container always go` },
  checkDeregisterAfter: {
    flag: 'check-deregister-after',
    value: 'DURATION',
    schema: v.pipe(
      text(),
      v.check((value) => value === '' || isPeriod(value), 'must be a duration such as 30m or 2h, at most 100 years'),
    ),
    describe:
      'Consul removes a service that was critical for so long, of a dead host too; for checks without SERVICE_CHECK_DEREGISTER_AFTER',
  },
  register: {
    flag: 'register',
    value: 'started|healthy',
    schema: oneOf(['started', 'healthy'], 'started'),
    describe: 'Registers a container with a HEALTHCHECK when it starts (critical until it is healthy), or when it is healthy',
  },
  nameFrom: {
    flag: 'name',
    value: 'image|compose',
    schema: oneOf(['image', 'compose'], 'image'),
    describe: 'What names a service without SERVICE_NAME: the image, or the Compose service before it',
  },
  shutdown: {
    flag: 'shutdown',
    value: 'keep|maintenance|deregister',
    schema: oneOf(['keep', 'maintenance', 'deregister'], 'keep'),
    describe: 'What becomes of the services when this program ends',
  },
  hostName: { flag: 'hostname', value: 'NAME', schema: text(), describe: 'First part of the IDs; by default the name of this host' },
  owner: { flag: 'owner', value: 'ID', schema: text(), describe: 'Whose the registrations are; by default the ID of the Docker engine' },
  docker: {
    flag: 'docker',
    env: ['DOCKER_HOST'],
    value: 'URL',
    schema: v.pipe(
      text(),
      v.check(
        (value) => value === '' || (/^(unix:\/\/\/.|(tcp|https?):\/\/.)/.test(value) && URL.canParse(value)),
        'must be unix:///PATH or tcp://HOST:PORT',
      ),
    ),
    describe: 'Docker engine; by default the socket of this host',
  },
  dockerTls: {
    flag: 'docker-tls-verify',
    env: ['DOCKER_TLS_VERIFY'],
    schema: v.pipe(
      v.optional(v.union([v.boolean(), v.string()]), false),
      v.transform((value) => value !== false && !/^(|0|f|false|no|off)$/i.test(String(value))),
    ),
    describe: 'Speaks TLS to an engine at tcp://, with the certificates of -docker-cert-path',
  },
  dockerCerts: {
    flag: 'docker-cert-path',
    env: ['DOCKER_CERT_PATH'],
    value: 'FOLDER',
    schema: text(),
    describe: 'Folder with ca.pem, cert.pem and key.pem',
  },
  api: {
    flag: 'api',
    value: 'ADDR:PORT',
    schema: addressAndPort('127.0.0.1:9181'),
    describe: 'Where /health, /status and /metrics are served (default 127.0.0.1:9181)',
  },
  logLevel: {
    flag: 'log-level',
    value: 'LEVEL',
    schema: oneOf(LOG_LEVELS, 'info'),
    describe: 'From most to least: fatal, error, warn, info, debug, trace',
  },
  dryRun: { flag: 'dry-run', schema: flag(), describe: 'Prints what would be changed, changes nothing and ends' },
  adopt: {
    flag: 'adopt',
    schema: v.pipe(
      v.optional(v.union([v.boolean(), v.string()]), false),
      v.transform(String),
      v.picklist(['true', 'false', ...ADOPTIONS], `must be one of ${ADOPTIONS.join(', ')}`),
      v.transform((word) => (word === 'true' ? 'all' : word === 'false' ? undefined : word)),
    ),
    describe:
      'Lists what an earlier registrator left on this host, takes over what a container wants, removes the rest, and ends; =list, =take or =remove does that part alone',
  },
  ...consulSettings,
} satisfies Record<string, Option>;

export type RegistratorSettings = SettingsOf<typeof options>;

export const program: Program<typeof options> = {
  name: 'toots registrator',
  usage: '[options] [consul://HOST:PORT]',
  about: 'Keeps the local Consul agent true to the containers of a Docker engine.',
  options,
  positionals: { least: 0, most: 1 },
};

/** Settings as {@link readSettings} reads them, with the registry of the last argument, and with what only several options together tell. */
export function readRegistratorSettings(argv: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const parsed = readSettings(program, argv, env);
  if (parsed.kind !== 'settings') return parsed;
  const { settings, positionals } = parsed;
  const [registry] = positionals;
  const consul = registry === undefined ? settings.consul : registryAddress(registry);
  const problems = [...ttlProblems(settings), ...tlsProblems(settings)];
  if (consul === undefined) problems.push(`the registry must be ${CONSUL_SCHEMES}, got ${JSON.stringify(registry)}`);
  if (consul === undefined || problems.length > 0) return { kind: 'wrong' as const, problems };
  const { hostName, docker } = settings;
  return {
    kind: 'settings' as const,
    settings: { ...settings, consul, hostName: hostName || hostname(), docker: docker || defaultDockerUrl() },
  };
}

/** gliderlabs registrator's schemes; its other registries are not ours. */
function registryAddress(text: string) {
  return /^(consul|consul-tls|consul-unix|https?|unix):\/\//.test(text) ? parseConsulAddress(text) : undefined;
}

function ttlProblems({ ttl, ttlRefresh }: RegistratorSettings): string[] {
  if ((ttl === 0) !== (ttlRefresh === 0)) return ['-ttl and -ttl-refresh: give both or neither'];
  return ttl > 0 && ttl <= ttlRefresh ? ['-ttl must be greater than -ttl-refresh'] : [];
}

function tlsProblems({ docker, dockerTls, dockerCerts }: RegistratorSettings): string[] {
  return dockerTls && dockerCerts === '' && docker.startsWith('tcp:')
    ? ['-docker-tls-verify: -docker-cert-path must say where the certificates are']
    : [];
}

/** Seconds, or a cron expression; undefined for anything else. */
function resyncTimes(value: string): number | string | undefined {
  if (value === '' || value === '0') return DEFAULT_RESYNC_S;
  if (/^\d+$/.test(value)) return Number(value) <= LONGEST_RESYNC_S ? Number(value) : undefined;
  return isCronExpression(value) ? value : undefined;
}

function isCronExpression(text: string): boolean {
  try {
    return new CronTime(text).sendAt() !== undefined;
  } catch {
    return false;
  }
}
