import type { Daemon, Mount, NodeFile } from './daemon.ts';
import { imageOf } from './images.ts';
import { askedAt, consulDomain, datacenter, innerAddress, listenAddress, type NodeContext, startsDaemon } from './node-context.ts';

/** Ports of Consul's agent on this node. */
export const CONSUL_PORTS = { http: 8500, https: 8501, dns: 8600, server: 8300, serfLan: 8301, serfWan: 8302 } as const;

/** HAProxy's own page on an edge node. */
export const STATS_PORT = 81;

/** Where a container finds the folder of its files. */
const CONFIG_FOLDER = '/toots/consul';

/**
 * Consul's agent: a server on masters, a client elsewhere. Its API is on this node's own addresses, on an edge node on loopback alone.
 * It never leaves the cluster when it is stopped, so that a restart or an upgrade deregisters nothing; `toots down` has it leave. Pure.
 */
export function consulDaemon(context: NodeContext): { readonly daemon: Daemon; readonly files: readonly NodeFile[] } {
  const { conf, stateDir, version, answers, secrets } = context;
  const uis = answers.roles.has('master') && !answers.roles.has('edge') && startsDaemon('registrator', context);
  const daemon: Daemon = {
    name: 'consul',
    image: imageOf('consul', conf, version),
    command: ['agent', `-config-dir=${CONFIG_FOLDER}`],
    environment: {},
    labels: uis ? pageLabels(CONSUL_PORTS.http, 'consul-ui', '/v1/status/leader') : {},
    mounts: [
      { from: `${stateDir}/consul`, to: CONFIG_FOLDER },
      { from: 'consul-data', to: '/consul/data', writable: true },
    ],
    tmpfs: ['/tmp'],
    stopSignal: 'SIGTERM',
    stopGraceS: 20,
    memory: '1g',
  };
  const pem = (name: string, text: string): NodeFile => ({ path: `consul/${name}`, text, secret: true, readBy: ['consul'] });
  const own = answers.roles.has('master') ? secrets?.master?.server : secrets?.client;
  return {
    daemon,
    files: [
      { path: 'consul/agent.json', text: `${JSON.stringify(agentConfig(context), undefined, 2)}\n`, secret: true, readBy: ['consul'] },
      ...(secrets === undefined || own === undefined
        ? []
        : [pem('ca.pem', secrets.ca), pem('agent.pem', own.cert), pem('agent-key.pem', own.key)]),
    ],
  };
}

/** The agent's configuration file. Pure. */
function agentConfig(context: NodeContext): object {
  const { conf, answers, address, nodeName } = context;
  const isServer = answers.roles.has('master');
  return {
    node_name: nodeName,
    datacenter: datacenter(conf),
    domain: consulDomain(conf),
    data_dir: '/consul/data',
    bind_addr: innerAddress(context),
    advertise_addr: address,
    client_addr: clientAddresses(context),
    server: isServer,
    ...(isServer && { bootstrap_expect: conf.MASTERS.length, ui: true, autopilot: { cleanup_dead_servers: true } }),
    retry_join: conf.MASTERS.filter((master) => master !== address),
    retry_interval: '3s',
    leave_on_terminate: false,
    skip_leave_on_interrupt: true,
    disable_update_check: true,
    performance: { raft_multiplier: 1 },
    ports: { http: CONSUL_PORTS.http, dns: CONSUL_PORTS.dns, https: context.secrets === undefined ? -1 : CONSUL_PORTS.https },
    ...secureConfig(context, isServer),
    ...edgeService(context),
  };
}

/** On an edge node nobody but the node itself gets at the API. */
function clientAddresses(context: NodeContext): string {
  const listen = innerAddress(context);
  if (context.answers.roles.has('edge') || listen === '127.0.0.1') return '127.0.0.1';
  return listen === '0.0.0.0' ? listen : `127.0.0.1 ${listen}`;
}

function secureConfig({ secrets, conf }: NodeContext, isServer: boolean): object {
  if (secrets === undefined) return {};
  const { agent, dns } = secrets.tokens;
  return {
    encrypt: secrets.gossipKey,
    ca_file: `${CONFIG_FOLDER}/ca.pem`,
    cert_file: `${CONFIG_FOLDER}/agent.pem`,
    key_file: `${CONFIG_FOLDER}/agent-key.pem`,
    verify_incoming_rpc: true,
    verify_outgoing: true,
    verify_server_hostname: true,
    acl: {
      enabled: true,
      default_policy: 'deny',
      down_policy: 'extend-cache',
      tokens: { agent, default: dns, ...(isServer && { master: secrets.master?.management }) },
    },
    primary_datacenter: datacenter(conf),
  };
}

/** An edge node tells the others of itself: keepalived's peers are found by it. */
function edgeService(context: NodeContext): object {
  const { answers, secrets } = context;
  if (!answers.roles.has('edge')) return {};
  const check = {
    name: 'HAProxy answers',
    http: `http://${askedAt(listenAddress(context))}:${STATS_PORT}/`,
    interval: '2s',
    timeout: '2s',
  };
  const token = secrets === undefined ? {} : { token: secrets.tokens.agent };
  return { services: [{ id: 'toots-edge', name: 'toots-edge', port: 80, checks: [check], ...token }] };
}

/** How a container of our own is let in to its node's agent: its environment and what it mounts. Pure. */
export function consulAccess(
  { secrets, stateDir }: NodeContext,
  daemon: 'registrator' | 'templater',
): { readonly environment: Readonly<Record<string, string>>; readonly mounts: readonly Mount[]; readonly files: readonly NodeFile[] } {
  if (secrets === undefined) return { environment: { CONSUL_HTTP_ADDR: `http://127.0.0.1:${CONSUL_PORTS.http}` }, mounts: [], files: [] };
  return {
    environment: {
      CONSUL_HTTP_ADDR: `https://127.0.0.1:${CONSUL_PORTS.https}`,
      CONSUL_HTTP_TOKEN_FILE: `/toots/${daemon}/token`,
      CONSUL_CACERT: `/toots/${daemon}/ca.pem`,
    },
    mounts: [{ from: `${stateDir}/${daemon}`, to: `/toots/${daemon}` }],
    files: [
      { path: `${daemon}/token`, text: `${secrets.tokens[daemon]}\n`, secret: true, readBy: [daemon] },
      { path: `${daemon}/ca.pem`, text: secrets.ca, secret: true, readBy: [daemon] },
    ],
  };
}

/** Networks that no address of the internet is in: private, shared, of one link, and this host. */
const PRIVATE_NETWORKS = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', '127.0.0.0/8'],
  ...['fc00::/7', 'fe80::/10', '::1/128'],
];

/**
 * What has the registrator register a page of a master, so that `NAME.service.consul` is it. They start and stop what runs here, mostly
 * without a password, and an edge node may be in the internet: they are for private networks only. Pure.
 */
export function pageLabels(port: number, name: string, healthPath: string): Readonly<Record<string, string>> {
  return {
    [`SERVICE_${port}_NAME`]: name,
    [`SERVICE_${port}_TAGS`]: ['haproxy', ...PRIVATE_NETWORKS.map((network) => `haproxy_allow=${network}`)].join(','),
    [`SERVICE_${port}_CHECK_HTTP`]: healthPath,
  };
}
