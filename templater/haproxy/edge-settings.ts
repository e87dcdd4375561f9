import { hostname, networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import type { Option, SettingsOf } from '../../daemon/settings.ts';
import { addressAndPort, duration, flag, readAs, text, texts, wholeNumber } from '../../daemon/values.ts';
import { isHostName } from '../../model/host-name.ts';
import { ipVersion } from '../../model/ip-address.ts';
import { parsePortRanges } from './port-ranges.ts';

const domainName = (fallback: string) =>
  v.pipe(text(fallback), v.transform(plainDomain), v.check(isHostName, 'must be a domain such as consul or example.org'));

function plainDomain(written: string): string {
  return written
    .trim()
    .replace(/^\.|\.$/g, '')
    .toLowerCase();
}

/** The options of `toots templater --edge`. */
export const edgeSettings = {
  edge: { flag: 'edge', env: ['TOOTS_EDGE'], schema: flag(), describe: 'Keeps HAProxy true to the Consul catalog' },
  dryRun: {
    flag: 'dry-run',
    schema: flag(),
    describe: 'With -edge: prints what would be told to HAProxy and why, changes nothing, and exits with 2 when there is something',
  },
  runDir: {
    flag: 'run-dir',
    env: ['TOOTS_RUN_DIR'],
    value: 'DIR',
    schema: v.pipe(
      text('/run/toots/edge'),
      v.transform((path) => resolve(path)),
    ),
    describe:
      'Folder for HAProxy’s configuration, maps and sockets; a HAProxy that runs there is adopted, else one is started, which outlives this program',
  },
  bind: {
    flag: 'bind',
    env: ['TOOTS_BIND'],
    value: 'ADDRESS',
    schema: v.pipe(
      text('0.0.0.0'),
      v.check((address) => ipVersion(address) !== undefined, 'must be an IP address'),
    ),
    describe: 'Address that HAProxy listens on',
  },
  httpPort: { flag: 'http-port', env: ['TOOTS_HTTP_PORT'], value: 'PORT', schema: wholeNumber(1, 65_535, 80), describe: 'Port for HTTP' },
  httpsPort: {
    flag: 'https-port',
    env: ['TOOTS_HTTPS_PORT'],
    value: 'PORT',
    schema: wholeNumber(1, 65_535, 443),
    describe: 'Port for HTTPS; not bound without a certificate',
  },
  statsPort: {
    flag: 'stats-port',
    env: ['TOOTS_STATS_PORT'],
    value: 'PORT',
    schema: wholeNumber(1, 65_535, 81),
    describe: 'Port of HAProxy’s own page',
  },
  tcpPorts: {
    flag: 'tcp-ports',
    env: ['TOOTS_TCP_PORTS'],
    value: 'FROM-TO[,…]',
    schema: v.pipe(text(), readAs(parsePortRanges, 'must be ports from 1 to 65535, such as 1024-9999,30000')),
    describe:
      'TCP ports that services may open by haproxy_tcp, besides those that the edge and its programs have; every other one is a problem',
  },
  domain: {
    flag: 'domain',
    env: ['TOOTS_DOMAIN', 'CONSUL_DOMAIN'],
    value: 'NAME',
    schema: domainName('consul'),
    describe: 'Consul’s domain: services are reached as x.service.NAME',
  },
  addDomains: {
    flag: 'add-domain',
    env: ['TOOTS_ADD_DOMAIN', 'HAPROXY_ADD_DOMAIN'],
    value: 'NAME',
    many: true,
    schema: v.pipe(
      texts(),
      v.transform((given) => given.flatMap((names) => names.split(',')).map(plainDomain)),
      v.checkItems(isHostName, ({ input }) => `must be a domain such as example.org, not ${JSON.stringify(input)}`),
    ),
    describe: 'Further domain: services are reached as x.NAME too; may be given several times, with or without a leading dot',
  },
  haproxy: { flag: 'haproxy', env: ['TOOTS_HAPROXY'], value: 'FILE', schema: text('haproxy'), describe: 'HAProxy, 2.6 or newer' },
  awaitHaproxy: {
    flag: 'await-haproxy',
    env: ['TOOTS_AWAIT_HAPROXY'],
    schema: flag(),
    describe: 'Never starts HAProxy: writes what it starts from, and waits for the one that another container runs in the run directory',
  },
  hardStopAfterMs: {
    flag: 'hard-stop-after',
    env: ['TOOTS_HARD_STOP_AFTER'],
    value: 'DURATION',
    schema: duration('30m'),
    describe: 'How long connections that are open at a reload may go on',
  },
  certs: {
    flag: 'certs',
    env: ['TOOTS_CERTS'],
    value: 'DIR',
    schema: v.pipe(
      text(),
      v.transform((path) => (path === '' ? '' : resolve(path))),
    ),
    describe:
      'Folder of certificates for HTTPS: each *.pem holds a certificate, its chain and its key; chosen by the name that the client asks for, followed as they change',
  },
  holdMs: {
    flag: 'hold',
    env: ['TOOTS_HOLD'],
    value: 'DURATION',
    schema: duration('5m'),
    describe: 'How long instances stay that are gone in a way that looks like an outage of Consul',
  },
  api: {
    flag: 'api',
    env: ['TOOTS_TEMPLATER_API'],
    value: 'ADDR:PORT',
    schema: addressAndPort('127.0.0.1:9182'),
    describe: 'Where /health, /status and /metrics are served',
  },
} satisfies Record<string, Option>;

type Settings = SettingsOf<typeof edgeSettings>;

/** What the edge engine is told. */
export type EdgeSettings = Omit<Settings, 'edge' | 'dryRun'>;

/** Ports of the edge that are given twice, a sentence each. Pure. */
export function equalPorts({
  httpPort,
  httpsPort,
  statsPort,
  api,
}: Pick<EdgeSettings, 'httpPort' | 'httpsPort' | 'statsPort' | 'api'>): readonly string[] {
  const ports = [
    ['-http-port', httpPort],
    ['-https-port', httpsPort],
    ['-stats-port', statsPort],
    ['-api', api.port],
  ] as const;
  return ports.flatMap(([flag, port], i) => {
    const other = ports.slice(0, i).find(([, before]) => before === port);
    return other === undefined ? [] : [`${flag}: ${port} is that of ${other[0]} already; each needs its own`];
  });
}

/** Where everything of the edge lies: below the run directory. */
export function edgeFiles(runDir: string) {
  return {
    config: join(runDir, 'haproxy.cfg'),
    /** Checked, then renamed to the one above. */
    candidate: join(runDir, 'haproxy.cfg.candidate'),
    hostsMap: join(runDir, 'hosts.map'),
    vhostsMap: join(runDir, 'vhosts.map'),
    variantsMap: join(runDir, 'variants.map'),
    pathsMap: join(runDir, 'paths.map'),
    ownNamesMap: join(runDir, 'own-names.map'),
    landingPage: join(runDir, 'landing.html'),
    unclaimedPage: join(runDir, 'unclaimed.html'),
    unavailablePage: join(runDir, 'unavailable.html'),
    serverState: join(runDir, 'server-state'),
    runtimeSocket: join(runDir, 'haproxy.sock'),
    masterSocket: join(runDir, 'master.sock'),
    pidFile: join(runDir, 'haproxy.pid'),
    log: join(runDir, 'haproxy.log'),
    certificateList: join(runDir, 'certificates.list'),
    /** A copy of a certificate that was found good. */
    certificate: (name: string) => join(runDir, `certificate-${name}`),
    /** The shape that a fingerprint stands for. */
    shape: (fingerprint: string) => join(runDir, `shape-${fingerprint}.json`),
    /** What was last known good: the catalog and the rules of each service. */
    memory: join(runDir, 'memory.json'),
    /** What the edge was, a line for each generation. */
    history: join(runDir, 'history.jsonl'),
    /** The generation that the edge was taken back to. */
    pin: join(runDir, 'pin.json'),
    /** Listened on by the templater that has this run directory. */
    lock: join(runDir, 'templater.sock'),
  } as const;
}

export type EdgeFiles = ReturnType<typeof edgeFiles>;

/** The names and addresses of this node, which show the landing page. */
export function ownNames(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address, family }) => (family === 'IPv6' ? `[${address.split('%')[0]}]` : address)),
  );
  const [short = ''] = hostname().split('.');
  return [...new Set(['localhost', '127.0.0.1', '[::1]', hostname().toLowerCase(), short.toLowerCase(), ...addresses])].sort();
}
