import { EDGE_FLAGS } from '../edge-flags.ts';
import { consulAccess, STATS_PORT } from './consul-daemon.ts';
import type { Daemon, NodeFile } from './daemon.ts';
import { imageOf, TOOTS_ID } from './images.ts';
import { askedAt, consulDomain, listenAddress, type NodeContext } from './node-context.ts';

interface Planned {
  readonly daemon: Daemon;
  readonly files: readonly NodeFile[];
}

/** Process 1 of a container takes in processes that lost their parent, which Node does not. */
const TEMPLATER = ['tini', '--', 'node', ...EDGE_FLAGS, '/opt/toots/dist/programs/templater.cjs'] as const;
const EDGE_VOLUME = { from: 'edge', to: '/run/toots/edge', writable: true } as const;
const VIP_API = '127.0.0.1:9183';
const VIP_VOLUME = { from: 'vip', to: '/run/toots/vip' } as const;

/** The registrator: follows this node's Docker engine. Pure. */
export function registratorDaemon(context: NodeContext): Planned {
  const { conf, address, nodeName, dockerGroup, version } = context;
  const access = consulAccess(context, 'registrator');
  return {
    daemon: {
      name: 'registrator',
      image: imageOf('registrator', conf, version),
      command: ['-ip', address, '-hostname', nodeName],
      environment: { ...access.environment, DOCKER_HOST: 'unix:///var/run/docker.sock' },
      labels: {},
      mounts: [{ from: '/var/run/docker.sock', to: '/var/run/docker.sock', writable: true }, ...access.mounts],
      groups: [String(dockerGroup)],
      stopGraceS: 10,
      memory: '256m',
    },
    files: access.files,
  };
}

/** The templater: keeps this node's HAProxy true to Consul. Pure. */
export function templaterDaemon(context: NodeContext): Planned {
  const { conf, version } = context;
  const access = consulAccess(context, 'templater');
  return {
    daemon: {
      name: 'templater',
      image: imageOf('templater', conf, version),
      entrypoint: TEMPLATER,
      command: [
        ...['-edge', '-await-haproxy'],
        ...['-run-dir', EDGE_VOLUME.to, '-bind', listenAddress(context), '-domain', consulDomain(conf)],
        ...(conf.EX_DOMAIN === undefined ? [] : ['-add-domain', conf.EX_DOMAIN]),
      ],
      environment: access.environment,
      labels: {},
      mounts: [EDGE_VOLUME, ...access.mounts],
      capabilities: ['NET_BIND_SERVICE'],
      healthCheck: ['CMD', 'busybox', 'wget', '-q', '-T', '4', '-O', '/dev/null', 'http://127.0.0.1:9182/health/ready'],
      stopGraceS: 10,
      memory: '512m',
    },
    files: access.files,
  };
}

/** Keeps keepalived's file true to Consul: a templater of its own, so that neither it nor the edge can hold up the other. Pure. */
export function vipTemplaterDaemon(context: NodeContext): Planned {
  const { conf, answers, version } = context;
  const { environment, mounts } = consulAccess(context, 'templater');
  const folder = '/toots/vip';
  return {
    daemon: {
      name: 'vip-templater',
      image: imageOf('vip-templater', conf, version),
      entrypoint: TEMPLATER,
      command: ['-api', VIP_API, '-template', `${folder}/keepalived.conf.njk:${VIP_VOLUME.to}/keepalived.conf`],
      environment,
      labels: {},
      mounts: [{ ...VIP_VOLUME, writable: true }, ...mounts, { from: `${context.stateDir}/vip`, to: folder }],
      capabilities: ['NET_BIND_SERVICE'], // the image's node has it on its file, and does not start without
      healthCheck: ['CMD', 'busybox', 'wget', '-q', '-T', '4', '-O', '/dev/null', `http://${VIP_API}/health/ready`],
      stopGraceS: 10,
      memory: '256m',
    },
    files: [
      { path: 'vip/keepalived.conf.njk', text: keepalivedTemplate(context, answers.vip ?? ''), secret: true, readBy: ['vip-templater'] },
    ],
  };
}

/** HAProxy in its own container: serves on when everything else is dead. Pure. */
export function haproxyDaemon(context: NodeContext): Planned {
  const { conf, version } = context;
  return {
    daemon: {
      name: 'haproxy',
      image: imageOf('haproxy', conf, version),
      entrypoint: ['haproxy.sh'],
      command: [],
      environment: { TOOTS_RUN_DIR: EDGE_VOLUME.to },
      labels: {},
      mounts: [EDGE_VOLUME],
      capabilities: ['NET_BIND_SERVICE'],
      healthCheck: ['CMD', 'haproxy-serves.sh', `${askedAt(listenAddress(context))}:${STATS_PORT}`],
      stopSignal: 'SIGUSR1',
      stopGraceS: 30,
      memory: '1g',
    },
    files: [],
  };
}

/** Internal DNS: Consul's domain from Consul, or from this node's balancer, and everything else from where this host asked before. Pure. */
export function dnsmasqDaemon(context: NodeContext): Planned {
  const { conf, address, nodeName, stateDir, version, answers } = context;
  const domain = consulDomain(conf);
  const lines = [
    'no-daemon',
    'no-hosts',
    'cache-size=0',
    `listen-address=${address}`,
    'bind-interfaces',
    'resolv-file=/toots/dns/upstream.conf',
    `server=/${domain}/127.0.0.1#8600`,
    `host-record=${nodeName},${address}`,
    ...(answers.dnsAnswer === 'balancer' ? [`address=/service.${domain}/${address}`] : []),
  ];
  return {
    daemon: {
      name: 'dnsmasq',
      image: imageOf('dnsmasq', conf, version),
      command: [],
      environment: { TOOTS_HOST: nodeName, TOOTS_LISTEN: address },
      labels: {},
      mounts: [{ from: `${stateDir}/dns`, to: '/toots/dns' }],
      tmpfs: ['/run'],
      capabilities: ['NET_BIND_SERVICE'],
      stopGraceS: 5,
      memory: '128m',
    },
    files: [{ path: 'dns/dnsmasq.conf', text: `${lines.join('\n')}\n`, secret: false, readBy: ['dnsmasq'] }],
  };
}

/** The address that the edge nodes share. Pure. */
export function keepalivedDaemon(context: NodeContext): Planned {
  const { conf, version } = context;
  return {
    daemon: {
      name: 'keepalived',
      image: imageOf('keepalived', conf, version),
      command: [],
      environment: {},
      labels: {},
      mounts: [VIP_VOLUME],
      tmpfs: ['/run:exec,mode=755', '/tmp'],
      user: `0:${TOOTS_ID}`, // root changes the host's addresses; by the group it reads the templater's file
      // Addresses, VRRP's own protocol, and that it may drop its groups before it runs the check: without, no check runs, and it is no error.
      capabilities: ['NET_ADMIN', 'NET_RAW', 'SETGID'],
      stopGraceS: 10,
      memory: '128m',
    },
    files: [],
  };
}

/**
 * keepalived's file as a template: its peers are the edge nodes that Consul knows, this one left out. All start as BACKUP without preemption, so
 * that nothing but a dead edge moves the address; whether a peer is healthy is not asked, so that the text changes only when nodes come and go.
 * Without a peer there is no unicast.
 */
function keepalivedTemplate(context: NodeContext, vip: string): string {
  const { conf, address, nic, nodeName, secrets } = context;
  const authentication =
    secrets === undefined ? [] : ['  authentication {', '    auth_type PASS', `    auth_pass ${secrets.vrrpPassword}`, '  }'];
  return [
    'global_defs {',
    `  router_id ${nodeName}`,
    '  enable_script_security',
    '  script_user root',
    '}',
    'vrrp_script haproxy {',
    `  script "/usr/local/bin/haproxy-alive.sh ${askedAt(listenAddress(context))}:${STATS_PORT}"`,
    '  interval 1',
    '  timeout 3',
    '  fall 2',
    '  rise 2',
    '}',
    'vrrp_instance toots {',
    '  state BACKUP',
    '  nopreempt',
    `  interface ${nic}`,
    `  virtual_router_id ${conf.VIP_ROUTER_ID ?? 111}`,
    '  priority 100',
    '  advert_int 1',
    '{%- set peers %}',
    '{%- for edge in service("toots-edge|any") %}',
    `{%- if edge.nodeAddress != "${address}" %}`,
    '    {{ edge.nodeAddress }}',
    '{%- endif %}',
    '{%- endfor %}',
    '{%- endset %}',
    '{%- if peers %}',
    `  unicast_src_ip ${address}`,
    '  unicast_peer {',
    '{{- peers }}',
    '  }',
    '{%- else %}',
    `  mcast_src_ip ${address}`,
    '{%- endif %}',
    ...authentication,
    '  virtual_ipaddress {',
    `    ${vip}`,
    '  }',
    '  track_script {',
    '    haproxy',
    '  }',
    '}',
    '',
  ].join('\n');
}
