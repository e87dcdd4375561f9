import * as v from 'valibot';
import { didYouMean } from '../../daemon/did-you-mean.ts';
import { isHostName } from '../../model/host-name.ts';
import { ipVersion } from '../../model/ip-address.ts';
import type { ConfEntry } from './conf-text.ts';
import { DAEMONS, type DaemonName } from './daemon.ts';

/** What a key of Toots.conf is: how its text is read, and a line about it. */
interface Key<Value = unknown> {
  readonly schema: v.GenericSchema<unknown, Value>;
  readonly about: string;
}

const key = <Value>(schema: v.GenericSchema<unknown, Value>, about: string): Key<Value> => ({ schema, about });

/** A key that is not there is as good as one without a value. */
const unset = v.optional(v.string(), '');

/** A text that must pass a test; unset and empty are undefined. */
function checked(isGood: (value: string) => boolean, wanted: string) {
  return v.pipe(
    unset,
    v.check((value) => value === '' || isGood(value), `must be ${wanted}`),
    v.transform((value) => (value === '' ? undefined : value)),
  );
}

const isIpv4 = (value: string) => ipVersion(value) === 4;
const address = checked(isIpv4, 'an IPv4 address');
/** 0.0.0.0/8, loopback, multicast, reserved and broadcast. */
const isNobodys = (value: string) => isIpv4(value) && /^(0|127|22[4-9]|2[3-5]\d)\./.test(value);
const NOBODYS = 'is no address that a machine has in a network (0.…, loopback, multicast, broadcast)';
const hostAddress = v.pipe(
  address,
  v.check((value) => value === undefined || !isNobodys(value), NOBODYS),
);
const domainOf = (value: string) =>
  value
    .trim()
    .replace(/^\.|\.$/g, '')
    .toLowerCase();
const domain = v.pipe(
  checked((value) => isHostName(domainOf(value)), 'a domain such as example.org'),
  v.transform((value) => (value === undefined ? undefined : domainOf(value))),
);
const yesOrNo = v.pipe(
  checked((value) => /^(true|yes|on|1|false|no|off|0)$/i.test(value), 'true or false'),
  v.transform((value) => (value === undefined ? undefined : /^(true|yes|on|1)$/i.test(value))),
);
const always = v.pipe(
  yesOrNo,
  v.check((value) => value !== false, 'cannot be false: every node runs Consul'),
);
const word = (pattern: RegExp, wanted: string) => checked((value) => pattern.test(value), wanted);
const oneOf = <const Words extends readonly string[]>(words: Words) =>
  v.pipe(
    checked((value) => words.includes(value), `one of ${words.join(', ')}`),
    v.transform((value) => value as Words[number] | undefined),
  );

/** Addresses of the masters, in the order that gives their ZooKeeper numbers. */
const masters = v.pipe(
  unset,
  v.transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ),
  v.minLength(1, 'must name at least one master, such as 10.0.0.1,10.0.0.2,10.0.0.3'),
  v.checkItems(isIpv4, ({ input }) => `${JSON.stringify(input)} must be an IPv4 address; masters are parted by commas`),
  v.checkItems(
    (part) => !isNobodys(part),
    ({ input }) => `${input} ${NOBODYS}`,
  ),
  v.checkItems(
    (part, at, all) => all.indexOf(part) === at,
    ({ input }) => `${input} stands twice`,
  ),
  v.readonly(),
);

/** What can stand in Toots.conf and in the files of restricted/. */
const KEYS = {
  MASTERS: key(masters, 'addresses of the masters, parted by commas; the same text on every node'),
  NIC: key(word(/^[A-Za-z0-9_.:-]{1,15}$/, 'the name of an interface such as eth0'), 'interface whose address is this node’s'),
  IP: key(hostAddress, 'this node’s address, where that of NIC is not it'),
  NODE_NAME: key(word(/^[A-Za-z0-9-]{1,63}$/, '1 to 63 letters, digits and dashes'), 'this node’s name in Consul; default: its host name'),
  LISTEN_IP: key(address, 'address that this node’s daemons listen on; default: its own, and for HAProxy on an edge node every one'),
  IN_DOMAIN: key(domain, 'Consul’s domain (default consul)'),
  EX_DOMAIN: key(domain, 'further domain that the edge serves, with or without leading dot'),
  VIP: key(hostAddress, 'address that the edge nodes share'),
  VIP_ROUTER_ID: key(
    word(/^([1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$/, 'a number from 1 to 255'),
    'VRRP router number of that address (default 111)',
  ),
  NFS: key(word(/^[A-Za-z0-9.:-]+:\/[A-Za-z0-9._/-]*$/, 'HOST:/FOLDER'), 'what persistent slaves mount on /var/store'),
  REGISTRY_IP: key(address, 'a private registry’s address: images come from it, by the name REGISTRY_NAME, which must resolve'),
  REGISTRY_NAME: key(domain, 'name of that registry (default registry.super.com)'),
  CA: key(
    word(/^[A-Za-z0-9._/-]+$/, 'a file name'),
    'file beside Toots.conf with the CA of that registry (PEM); up puts it where the engine looks, down removes it',
  ),
  CONSUL_DC: key(word(/^[a-z0-9_-]{1,63}$/, 'small letters, digits, - and _'), 'Consul’s datacenter (default dc1)'),
  SECURE: key(yesOrNo, 'gossip encryption, TLS and ACLs (default true)'),
  ORCHESTRATOR: key(oneOf(['marathon', 'none']), 'marathon (default), or none where something else starts containers'),
  DNS_ANSWER: key(oneOf(['balancer', 'instances']), 'what A of a service gives on nodes with internal DNS (default balancer)'),
  MARATHON_CREDENTIALS: key(word(/^[^:\s]+:\S+$/, 'USER:PASSWORD'), 'what Marathon’s page and API ask for'),
  MASTER: key(yesOrNo, 'role of this node'),
  SLAVE: key(yesOrNo, 'role of this node'),
  EDGE: key(yesOrNo, 'role of this node'),
  SLAVE_MODE: key(oneOf(['stateless', 'persistent']), 'what Mesos tells of this slave (default stateless)'),
  START_CONSUL: key(always, 'true, or left out: every node runs Consul'),
  START_REGISTRATOR: key(yesOrNo, 'the registrator of a slave, or of a master that is none; edges have none'),
  START_DNSMASQ: key(yesOrNo, 'internal DNS of a slave; other nodes have none'),
  START_CONSUL_TEMPLATE: key(yesOrNo, 'the templater and HAProxy, also on a slave that is no edge'),
  START_ZOOKEEPER: key(yesOrNo, 'ZooKeeper'),
  START_MESOS_MASTER: key(yesOrNo, 'Mesos’ master'),
  START_MESOS_SLAVE: key(yesOrNo, 'Mesos’ agent'),
  START_MARATHON: key(yesOrNo, 'Marathon'),
  START_CHRONOS: key(yesOrNo, 'Chronos'),
} satisfies Record<string, Key>;

type Fixed = { readonly [Name in keyof typeof KEYS]: v.InferOutput<(typeof KEYS)[Name]['schema']> };

/** What is told of one daemon. */
export interface DaemonConf {
  /** Instead of the image we name. */
  readonly image: string | undefined;
  /** Most memory it may take, as Docker writes it. */
  readonly memory: string | undefined;
  /** Words after those of ours. */
  readonly params: readonly string[];
  /** Words in place of ours. */
  readonly appParams: readonly string[] | undefined;
}

export type ClusterConf = Fixed & { readonly daemons: Readonly<Record<DaemonName, DaemonConf>> };

export type ParsedConf =
  | { readonly kind: 'conf'; readonly conf: ClusterConf }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

const params = v.pipe(
  unset,
  v.transform((value) => value.split(/\s+/).filter((part) => part !== '')),
);
const image = word(/^[a-z0-9][a-z0-9._:/-]*(@sha256:[0-9a-f]{64})?$/, 'an image such as toots/consul:1.0');
const memory = word(/^[1-9]\d*[kmg]$/, 'a size such as 256m');

/** Suffixes of keys that name a daemon: `CONSUL_IMAGE`. */
const DAEMON_KEYS = {
  _APP_PARAMS: key(params, 'words of its command line in place of ours'),
  _PARAMS: key(params, 'words of its command line after ours'),
  _IMAGE: key(image, 'another image'),
  _MEMORY: key(memory, 'most memory it may take'),
} as const;

/** Reads entries, later ones beating earlier ones. Every problem is told. Pure. */
export function readConf(entries: readonly ConfEntry[]): ParsedConf {
  const problems: string[] = [];
  const last = new Map(entries.map((entry) => [entry.key, entry]));
  const read = <Value>(name: string, { schema }: Key<Value>): Value => {
    const entry = last.get(name);
    const parsed = v.safeParse(schema, entry?.value);
    if (parsed.success) return parsed.output;
    const got = entry === undefined ? '' : `, got ${JSON.stringify(entry.value)}`;
    problems.push(
      `${entry === undefined ? 'Toots.conf' : entry.where}: ${name} ${parsed.issues.map(({ message }) => message).join('; ')}${got}`,
    );
    return undefined as Value; // never looked at: a conf with problems is none
  };
  const known = [
    ...Object.keys(KEYS),
    ...DAEMONS.flatMap((name) => Object.keys(DAEMON_KEYS).map((suffix) => `${name.toUpperCase().replaceAll('-', '_')}${suffix}`)),
  ];
  for (const { key: name, where } of last.values())
    if (!known.includes(name)) problems.push(`${where}: unknown key ${name}${didYouMean(name, known, '')}`);
  const fixed = Object.fromEntries(Object.entries(KEYS).map(([name, entry]) => [name, read(name, entry as Key)])) as Fixed;
  const daemons = Object.fromEntries(
    DAEMONS.map((name) => {
      const prefix = name.toUpperCase().replaceAll('-', '_');
      const app = `${prefix}_APP_PARAMS`;
      const own: DaemonConf = {
        image: read(`${prefix}_IMAGE`, DAEMON_KEYS._IMAGE),
        memory: read(`${prefix}_MEMORY`, DAEMON_KEYS._MEMORY),
        params: read(`${prefix}_PARAMS`, DAEMON_KEYS._PARAMS),
        appParams: last.has(app) ? read(app, DAEMON_KEYS._APP_PARAMS) : undefined,
      };
      return [name, own];
    }),
  ) as Record<DaemonName, DaemonConf>;
  return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'conf', conf: { ...fixed, daemons } };
}

/** Every key with a line about it, for the documentation. Pure. */
export function confKeys(): readonly { readonly name: string; readonly about: string }[] {
  return [
    ...Object.entries(KEYS).map(([name, { about }]) => ({ name, about })),
    ...Object.entries(DAEMON_KEYS).map(([suffix, { about }]) => ({ name: `DAEMON${suffix}`, about })),
  ];
}
