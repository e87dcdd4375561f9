import { expect, test } from '@jest/globals';
import nunjucks from 'nunjucks';
import { planNode } from '../../../deploy/cluster/plan-node.ts';
import type { Role } from '../../../deploy/cluster/roles.ts';
import { secretsProblem, withoutMaster } from '../../../deploy/cluster/secrets.ts';
import { EDGE_OPTIONS } from '../../../model/edge-options.ts';
import { aNode, daemonOf, fileOf, SECRETS } from './a-node.ts';

const MASTER = ['zookeeper', 'mesos-master', 'marathon', 'chronos'];
const names = (options: Parameters<typeof aNode>[0]) => planNode(aNode(options)).daemons.map(({ name }) => name);

test.each<[readonly Role[], string, object, readonly string[]]>([
  [['master'], '', {}, ['consul', ...MASTER, 'registrator']],
  [['master'], '', { registerMasters: false }, ['consul', ...MASTER]],
  [['master'], 'ORCHESTRATOR=none', {}, ['consul', 'registrator']],
  [['master'], 'START_CHRONOS=false', {}, ['consul', 'zookeeper', 'mesos-master', 'marathon', 'registrator']],
  [['master'], 'START_ZOOKEEPER=false\nSTART_MESOS_MASTER=false\nSTART_MARATHON=no', {}, ['consul', 'chronos', 'registrator']],
  [['slave'], '', {}, ['consul', 'mesos-slave', 'registrator']],
  [['slave'], 'START_MESOS_SLAVE=false', {}, ['consul', 'registrator']],
  [['slave'], 'START_REGISTRATOR=false\nSTART_CONSUL=true', {}, ['consul', 'mesos-slave']],
  [['slave'], 'START_CONSUL_TEMPLATE=true', {}, ['consul', 'mesos-slave', 'registrator', 'templater', 'haproxy']],
  [['slave'], '', { internalDns: true }, ['consul', 'dnsmasq', 'mesos-slave', 'registrator', 'templater', 'haproxy']],
  [['edge'], '', {}, ['consul', 'templater', 'haproxy']],
  [['edge'], '', { vip: '10.0.0.100' }, ['consul', 'templater', 'haproxy', 'vip-templater', 'keepalived']],
  [['slave', 'edge'], 'ORCHESTRATOR=none', {}, ['consul', 'registrator', 'templater', 'haproxy']],
  [['master', 'edge'], 'ORCHESTRATOR=none', { registerMasters: false }, ['consul', 'templater', 'haproxy']],
  [
    ['master', 'slave', 'edge'],
    '',
    {},
    ['consul', 'zookeeper', 'mesos-master', 'marathon', 'chronos', 'mesos-slave', 'registrator', 'templater', 'haproxy'],
  ],
])('TT-01, TT-03: %j with %j and %j runs its daemons', (roles, text, answers, expected) => {
  expect(names({ roles, conf: text, answers })).toEqual(expected);
});

const agent = (options: Parameters<typeof aNode>[0]) => JSON.parse(fileOf('consul/agent.json', options) ?? '');

test('TT-10, TT-62: every master is a server that expects all of them', () => {
  expect(agent({ roles: ['master'], conf: 'CONSUL_DC=ber\nIN_DOMAIN=corp' })).toMatchObject({
    server: true,
    bootstrap_expect: 3,
    retry_join: ['10.0.0.1', '10.0.0.3'],
    datacenter: 'ber',
    domain: 'corp',
    bind_addr: '10.0.0.2',
    client_addr: '127.0.0.1 10.0.0.2',
    encrypt: 'gossip',
    verify_server_hostname: true,
    acl: { default_policy: 'deny', tokens: { master: expect.any(String) } },
  });
});

test('other agents are clients without the management token; on an edge node their API is on loopback alone', () => {
  const edge = agent({ roles: ['edge'] });

  expect(edge).toMatchObject({ server: false, client_addr: '127.0.0.1', retry_join: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] });
  expect(edge.bootstrap_expect).toBeUndefined();
  expect(Object.keys(edge.acl.tokens)).toEqual(['agent', 'default']);
  expect(edge.services).toMatchObject([{ name: 'toots-edge', port: 80 }]);
});

test('nothing of a node that is no master holds what masters alone know, even where it was given', () => {
  const { management, server } = SECRETS.master ?? { management: '', server: { key: '' } };
  const texts = (roles: readonly Role[]) => JSON.stringify(planNode(aNode({ roles, answers: { internalDns: true, vip: '10.0.0.100' } })));

  for (const roles of [['slave'], ['edge'], ['slave', 'edge']] as const)
    expect([texts(roles).includes(management), texts(roles).includes(server.key)]).toEqual([false, false]);
  expect([texts(['master']).includes(management), texts(['master']).includes(server.key)]).toEqual([true, true]);
});

test.each<[string, boolean, boolean, RegExp | undefined]>([
  ['a master with a master’s', true, true, undefined],
  ['another node with its own', false, false, undefined],
  ['a master with those of the others', false, true, /copy restricted\/secrets\.json/],
  ['another node with a master’s', true, false, /remove this file, and copy restricted\/secrets\.nodes\.json/],
])('secrets: %s', (_, ofMaster, isMaster, remedy) => {
  const problem = secretsProblem(ofMaster ? SECRETS : withoutMaster(SECRETS), isMaster);

  if (remedy === undefined) expect(problem).toBeUndefined();
  else expect(problem?.remedy).toMatch(remedy);
});

test('without security there is neither TLS nor ACL', () => {
  const plain = agent({ roles: ['slave'], context: { secrets: undefined } });

  expect(plain).toMatchObject({ ports: { https: -1 } });
  expect([plain.acl, plain.encrypt, plain.ca_file]).toEqual([undefined, undefined, undefined]);
  expect(daemonOf('registrator', { roles: ['slave'], context: { secrets: undefined } }).environment['CONSUL_HTTP_ADDR']).toBe(
    'http://127.0.0.1:8500',
  );
});

test('a daemon finds its own token and no other, by HTTPS on its own node', () => {
  const registrator = daemonOf('registrator', { roles: ['slave', 'edge'] });

  expect(registrator.environment).toMatchObject({
    CONSUL_HTTP_ADDR: 'https://127.0.0.1:8501',
    CONSUL_HTTP_TOKEN_FILE: '/toots/registrator/token',
  });
  expect(registrator.mounts.map(({ from }) => from)).toEqual(['/var/run/docker.sock', '/var/lib/toots/registrator']);
  expect(planNode(aNode({ roles: ['slave', 'edge'] })).files.filter(({ path }) => path.endsWith('token'))).toMatchObject([
    { path: 'registrator/token', secret: true },
    { path: 'templater/token', secret: true },
  ]);
});

test('TT-63: the pages of a master are registered where a registrator runs', () => {
  expect(daemonOf('marathon', { roles: ['master'] }).labels).toMatchObject({
    SERVICE_8080_NAME: 'marathon',
    SERVICE_8080_TAGS: expect.stringMatching(/^haproxy,haproxy_allow=10\.0\.0\.0\/8,/),
    SERVICE_8080_CHECK_HTTP: '/v2/leader',
  });
  expect(daemonOf('marathon', { roles: ['master'], conf: 'MARATHON_CREDENTIALS=a:b' }).labels).toMatchObject({
    SERVICE_8080_CHECK_HTTP: '/ping',
  });
  expect(daemonOf('consul', { roles: ['master'] }).labels).toMatchObject({ SERVICE_8500_NAME: 'consul-ui' });
  expect(daemonOf('consul', { roles: ['master', 'edge'] }).labels).not.toHaveProperty('SERVICE_8500_NAME'); // nothing listens there
  expect(daemonOf('marathon', { roles: ['master'], answers: { registerMasters: false } }).labels).toEqual({ SERVICE_IGNORE: 'true' });
  expect(daemonOf('registrator', { roles: ['slave'] }).labels).toMatchObject({ SERVICE_IGNORE: 'true' });
});

test('TT-61, TT-66: the registrator gives this node’s address; HAProxy listens on it, on an edge node on every one', () => {
  const bind = (roles: readonly Role[], text = '') => {
    const { command } = daemonOf('templater', { roles, conf: text, answers: { internalDns: true } });
    return command[command.indexOf('-bind') + 1];
  };

  expect(daemonOf('registrator', { roles: ['slave'] }).command).toEqual(['-ip', '10.0.0.9', '-hostname', 'node-a']);
  expect([bind(['slave']), bind(['edge']), bind(['edge'], 'LISTEN_IP=10.0.0.77')]).toEqual(['10.0.0.9', '0.0.0.0', '10.0.0.77']);
});

test('the pages of masters are for private networks: their tags parse, and let in nobody else', () => {
  const tags = daemonOf('chronos', { roles: ['master'] }).labels['SERVICE_4400_TAGS']?.split(',') ?? [];
  const allowed = tags
    .filter((tag) => tag.startsWith('haproxy_allow='))
    .map((tag) => EDGE_OPTIONS.network.parse(tag.slice('haproxy_allow='.length)));

  expect(allowed.length).toBe(9);
  for (const parsed of allowed) expect(parsed).not.toHaveProperty('kind', 'refused');
});

test('TT-61, TT-62: LISTEN_IP is where all of them listen, and are asked', () => {
  const options = { roles: ['master'], conf: 'LISTEN_IP=10.9.9.9' } as const;

  expect(agent(options)).toMatchObject({ bind_addr: '10.9.9.9', client_addr: '127.0.0.1 10.9.9.9', advertise_addr: '10.0.0.2' });
  expect(agent({ ...options, conf: 'LISTEN_IP=0.0.0.0' })).toMatchObject({ bind_addr: '0.0.0.0', client_addr: '0.0.0.0' });
  expect(daemonOf('marathon', options)).toMatchObject({ healthCheck: ['CMD-SHELL', 'curl -fs http://10.9.9.9:8080/ping'] });
  expect(agent({ ...options, roles: ['edge'] })).toMatchObject({
    client_addr: '127.0.0.1',
    services: [{ checks: [{ http: 'http://10.9.9.9:81/' }] }],
  });
  expect(daemonOf('marathon', { roles: ['master', 'edge'] }).command).toEqual(expect.arrayContaining(['--http_address', '10.0.0.2']));
});

test.each([
  ['haproxy', ['edge'], ['haproxy.sh'], ['-d']],
  ['templater', ['edge'], ['tini', '--', 'node', '--max-semi-space-size=4', '/opt/toots/dist/programs/templater.cjs'], undefined],
  ['keepalived', ['edge'], undefined, ['-d']],
  ['zookeeper', ['master'], undefined, ['zkServer.sh', 'start-foreground', '-d']],
] as const)('TT-81: words of Toots.conf follow %s’s own, and never stand instead of its program', (name, roles, entrypoint, command) => {
  const key = name.toUpperCase();
  const options = { roles, conf: `${key}_PARAMS=-d`, answers: { vip: '10.0.0.100' } };

  expect(daemonOf(name, options).entrypoint).toEqual(entrypoint);
  if (command === undefined) expect(daemonOf(name, options).command.at(-1)).toBe('-d');
  else expect(daemonOf(name, options).command).toEqual(command);
  expect(daemonOf(name, { ...options, conf: `${key}_APP_PARAMS=-x` })).toMatchObject({ command: ['-x'] });
});

test('TT-12: the inner domain is Consul’s, the templater’s and that of internal DNS', () => {
  const options = { roles: ['slave'], conf: 'IN_DOMAIN=corp', answers: { internalDns: true } } as const;

  expect(agent(options)).toMatchObject({ domain: 'corp' });
  expect(daemonOf('templater', options).command.join(' ')).toContain('-domain corp');
  expect(fileOf('dns/dnsmasq.conf', options)?.split('\n')).toEqual(
    expect.arrayContaining(['server=/corp/127.0.0.1#8600', 'address=/service.corp/10.0.0.9']),
  );
});

test('TT-13: the edge serves the outer domain', () => {
  expect(daemonOf('templater', { roles: ['edge'], conf: 'EX_DOMAIN=.example.org' }).command.join(' ')).toContain('-add-domain example.org');
});

test('TT-64: internal DNS answers with the balancer, or with what Consul says', () => {
  const dns = (dnsAnswer: 'balancer' | 'instances') =>
    fileOf('dns/dnsmasq.conf', { roles: ['slave'], answers: { internalDns: true, dnsAnswer } });

  expect(dns('balancer')).toContain('server=/consul/127.0.0.1#8600\n');
  expect(dns('balancer')).toContain('\naddress=/service.consul/10.0.0.9\n');
  expect(dns('instances')).not.toContain('address=/');
});

test('TT-55, TT-56: the VIP is on this node’s interface, its peers are the edge nodes, and they know each other', () => {
  const template = fileOf('vip/keepalived.conf.njk', { roles: ['edge'], answers: { vip: '10.0.0.100' } }) ?? '';
  const render = (...edges: readonly string[]) => {
    const service = (query: string) => (query === 'toots-edge|any' ? edges.map((nodeAddress) => ({ nodeAddress })) : []);
    return nunjucks.renderString(template, { service });
  };
  const several = render('10.0.0.8', '10.0.0.9', '10.0.0.7');

  for (const line of [
    '  interface eth1',
    '  state BACKUP',
    '  nopreempt',
    '    auth_pass abcdefgh',
    '  virtual_ipaddress {\n    10.0.0.100\n  }',
  ])
    expect(several).toContain(`\n${line}\n`);
  expect(several).toContain('\n  unicast_src_ip 10.0.0.9\n  unicast_peer {\n    10.0.0.8\n    10.0.0.7\n  }\n  authentication {\n');
  const alone = render('10.0.0.9');
  expect(alone).toContain('\n  advert_int 1\n  mcast_src_ip 10.0.0.9\n  authentication {\n');
  expect(alone).not.toContain('unicast');
});

test('TT-67: Mesos and Marathon get the original’s flags', () => {
  const words = (name: 'mesos-master' | 'marathon' | 'mesos-slave', roles: readonly Role[], answers = {}) =>
    daemonOf(name, { roles, answers }).command.join(' ');
  const zk = 'zk://10.0.0.1:2181,10.0.0.2:2181,10.0.0.3:2181';

  expect(words('mesos-master', ['master'])).toContain(`--zk=${zk}/mesos --quorum=2 --cluster=mesoscluster`);
  expect(words('marathon', ['master'])).toContain(`--master ${zk}/mesos --zk ${zk}/marathon`);
  expect(words('mesos-slave', ['slave'])).toContain('--attributes=type:normal');
  expect(words('mesos-slave', ['slave'], { slaveMode: 'persistent' })).toContain('--attributes=type:data');
  expect(words('mesos-slave', ['slave'])).toContain('--docker_stop_timeout=5secs --gc_delay=1days --docker_remove_delay=10mins');
  expect(daemonOf('zookeeper', { roles: ['master'] }).environment).toMatchObject({ ZOO_MY_ID: '2' });
});

test('TT-77: Marathon’s credentials are not on its command line', () => {
  const { environment, command } = daemonOf('marathon', { roles: ['master'], conf: 'MARATHON_CREDENTIALS=ann:secret' });

  expect(environment).toEqual({ MARATHON_HTTP_CREDENTIALS: 'ann:secret' });
  expect(command.join(' ')).not.toContain('secret');
});

test('TT-16: images come from the private registry, each may be named', () => {
  const text = 'REGISTRY_IP=10.0.0.8\nMARATHON_IMAGE=mine/marathon:2';

  expect(daemonOf('consul', { roles: ['master'], conf: text }).image).toBe('registry.super.com/toots/consul:1.2.3');
  expect(daemonOf('zookeeper', { roles: ['master'], conf: text }).image).toMatch(/^registry\.super\.com\/zookeeper:\d/);
  expect(daemonOf('marathon', { roles: ['master'], conf: text }).image).toBe('mine/marathon:2');
});

test('TT-81, TT-82: params are added or replace ours; restricted/env reaches every container and beats nothing of ours', () => {
  const options = {
    roles: ['slave'],
    conf: 'REGISTRATOR_PARAMS=-internal\nCONSUL_APP_PARAMS=agent -dev',
    context: { env: { TZ: 'UTC', DOCKER_HOST: 'x' } },
  } as const;

  expect(daemonOf('registrator', options).command.at(-1)).toBe('-internal');
  expect(daemonOf('consul', options).command).toEqual(['agent', '-dev']);
  expect(daemonOf('registrator', options).environment).toMatchObject({ TZ: 'UTC', DOCKER_HOST: 'unix:///var/run/docker.sock' });
});

test('a daemon is another one when a file that it reads is, and only then', () => {
  const labels = (text: string) =>
    Object.fromEntries(
      planNode(aNode({ roles: ['slave'], conf: text })).daemons.map(({ name, labels: own }) => [name, own['toots.files']]),
    );

  expect(labels('CONSUL_DC=a')['consul']).not.toBe(labels('CONSUL_DC=b')['consul']);
  expect(labels('CONSUL_DC=a')['registrator']).toBe(labels('CONSUL_DC=b')['registrator']);
});
