import { expect, test } from '@jest/globals';
import {
  digestOf,
  type Observed,
  parseBackendSections,
  parseBackends,
  parseClosed,
  parseInfo,
  parseMap,
  parseServers,
} from '../../../templater/haproxy/haproxy-answers.ts';
import { parseProcesses } from '../../../templater/haproxy/haproxy-process.ts';
import { plainSection } from '../../../templater/haproxy/plain-section.ts';
import { edgeGroup, edgePlan, shapeOf } from './a-plan.ts';

test('show info says which worker it is, by its description what it was loaded with, and what it may open', () => {
  const text =
    'Name: HAProxy\nVersion: 2.6.12-1\nPid: 4711\nUptime: 0d 0h01m02s\nUptime_sec: 62\nUlimit-n: 1024\nMaxsock: 1023\nMaxconn: 491\nnode: edge\ndescription: 0123456789abcdef\n';

  expect(parseInfo(text)).toEqual({
    pid: 4711,
    fingerprint: '0123456789abcdef',
    limit: { connections: 491, files: 1024, neededFiles: 1023 },
    throttles: [],
  });
});

test('a HAProxy without a description is not one of ours', () => {
  expect(parseInfo('Pid: 1\nUptime_sec: 0\ndescription: \n').fingerprint).toBe('');
});

const HEADER =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';

test('show servers state says weight and readiness of the instances of our groups, by the names of its columns', () => {
  const shape = shapeOf(edgePlan({ groups: [edgeGroup('web'), edgeGroup('empty')] }));
  const line = (group: string, name: string, admin: number, weight: number) =>
    `3 ${group} 1 ${name}_10.0.0.1:8080 10.0.0.1 2 ${admin} ${weight} 100 5 1 0 2 0 0 0 0 - 8080 - 0 0 - - 0`;
  const text = ['1', HEADER, line('web', 'a', 0, 100), line('web', 'b', 1, 7), line('web', 'c', 8, 0), line('other', 'x', 0, 1), ''].join(
    '\n',
  );

  const servers = parseServers(text, shape);

  expect(Object.fromEntries(servers.get('web') ?? [])).toEqual({
    'a_10.0.0.1:8080': { weight: 100, maxConnections: undefined, ready: true },
    'b_10.0.0.1:8080': { weight: 7, maxConnections: undefined, ready: false },
    'c_10.0.0.1:8080': { weight: 0, maxConnections: undefined, ready: false },
  });
  expect([...servers.keys()]).toEqual(['web', 'empty']);
});

test('columns may move', () => {
  const shape = shapeOf(edgePlan({ groups: [edgeGroup('web')] }));

  const servers = parseServers('1\n# srv_uweight new srv_name be_name srv_admin_state\n7 x a web 0\n', shape);

  expect(servers.get('web')?.get('a')).toEqual({ weight: 7, maxConnections: undefined, ready: true });
});

test.each<[title: string, server: string, address: string, port: number, moved: string | undefined]>([
  ['where its name says', 'a_10.0.0.1:80', '10.0.0.1', 80, undefined],
  ['where the name of a backup says', 'a_10.0.0.1:80_backup', '10.0.0.1', 80, undefined],
  ['an IPv6 address, written otherwise', 'a_FD00:0::0001:80', 'fd00::1', 80, undefined],
  ['at another address', 'a_10.0.0.1:80', '10.0.0.2', 80, '10.0.0.2:80'],
  ['at another port', 'a_b_10.0.0.1:80', '10.0.0.1', 8, '10.0.0.1:8'],
  ['at an address that only ends alike', 'a_10.0.0.1:80', '110.0.0.1', 80, '110.0.0.1:80'],
])('a server is %s', (_, server, address, port, moved) => {
  const shape = shapeOf(edgePlan({ groups: [edgeGroup('web')] }));
  const text = `1\n${HEADER}\n3 web 1 ${server} ${address} 2 0 100 100 5 1 0 2 0 0 0 0 - ${port} - 0 0 - - 0\n`;

  expect(parseServers(text, shape).get('web')?.get(server)?.moved).toBe(moved);
});

test('frontends that take no connections are told', () => {
  expect(parseClosed('# pxname,svname,status,\ntoots:web,FRONTEND,PAUSED,\ntoots:stats,FRONTEND,OPEN,\nx,FRONTEND,STOP,\n')).toEqual([
    'toots:web',
    'x',
  ]);
});

test('show map says keys and groups', () => {
  expect([...parseMap('0x55d0c0a3b2a0 web.service web\n0x55d0c0a3b3b0 /a;b/ tcp:web\n\nnonsense\n')]).toEqual([
    ['web.service', 'web'],
    ['/a;b/', 'tcp:web'],
  ]);
});

test('show backend names those of groups', () => {
  expect(parseBackends('# name\ntoots:landing\nweb\ntcp:db\n')).toEqual(['web', 'tcp:db']);
});

test('what a backend was added from is told by its mode and algorithm, by the names of the columns', () => {
  const text = '# pxname,svname,mode,new,algo,\nweb,BACKEND,http,,roundrobin,\ntcp:db,BACKEND,tcp,,source,\n';

  expect(Object.fromEntries(parseBackendSections(text))).toEqual({
    web: plainSection('web', 'http', 'roundrobin'),
    'tcp:db': plainSection('tcp:db', 'tcp', 'source'),
  });
});

const PROC_26 = `#<PID>          <type>          <reloads>       <uptime>        <version>
100             master          2 [failed: 1]   0d00h00m10s     2.6.12-1
# workers
140             worker          0               0d00h00m01s     2.6.12-1
# old workers
120             worker          1               0d00h00m05s     2.6.12-1
121             worker          2               0d00h00m09s     2.6.12-1
# programs
`;

test.each<[title: string, text: string, processes: ReturnType<typeof parseProcesses>]>([
  ['a failed reload and old workers', PROC_26, { master: 100, failedReloads: 1, oldWorkers: 2 }],
  ['none of either', PROC_26.replace(' [failed: 1]', '').replace(/^12.*\n/gm, ''), { master: 100, failedReloads: 0, oldWorkers: 0 }],
  ['no section of old workers', PROC_26.replace(/# old workers[^#]*/, ''), { master: 100, failedReloads: 1, oldWorkers: 0 }],
  ['nothing', '', { master: 0, failedReloads: 0, oldWorkers: 0 }],
])('show proc: %s', (_, text, processes) => {
  expect(parseProcesses(text)).toEqual(processes);
});

const OBSERVED: Observed = {
  loaded: { pid: 1, fingerprint: 'f', limit: { connections: 1, files: 2, neededFiles: 3 }, throttles: [] },
  certificates: new Map([['a.pem', 'AA']]),
  frontends: '# pxname,svname,scur,status,\ntoots:web,FRONTEND,7,OPEN,\n',
  backends: '# name\nweb\n',
  servers: `1\n${HEADER}\n3 web 1 a_10.0.0.1:80 10.0.0.1 2 0 100 100 5 1 0 2 0 0 0 0 - 80 - 0 0 - - 0\n`,
  maps: { hosts: '0x1 web.service web\n', vhosts: '', variants: '', paths: '0x2 /p/ web\n' },
  limits: '# pxname,svname,qcur,qmax,scur,smax,slim,\nweb,a_10.0.0.1:80,0,0,0,0,128,\n',
};

const instead = (text: string, from: string, to: string) => {
  expect(text).toContain(from);
  return text.replace(from, to);
};

test.each<[title: string, now: Partial<Observed>]>([
  ['its weight', { servers: instead(OBSERVED.servers, ' 0 100 100 ', ' 0 7 100 ') }],
  ['its state', { servers: instead(OBSERVED.servers, ' 2 0 100 ', ' 2 1 100 ') }],
  ['its address', { servers: instead(OBSERVED.servers, ' 10.0.0.1 2', ' 10.0.0.2 2') }],
  ['its port', { servers: instead(OBSERVED.servers, ' - 80 -', ' - 81 -') }],
  ['a server that is gone', { servers: `1\n${HEADER}\n` }],
  ['a server of another name', { servers: instead(OBSERVED.servers, ' a_10', ' b_10') }],
  ['a limit', { limits: instead(OBSERVED.limits ?? '', ',128,', ',1,') }],
  ['an entry that leads elsewhere', { maps: { ...OBSERVED.maps, hosts: instead(OBSERVED.maps.hosts, 'service web', 'service x') } }],
  ['an entry that is gone', { maps: { ...OBSERVED.maps, paths: '' } }],
  ['an entry in another map', { maps: { ...OBSERVED.maps, vhosts: OBSERVED.maps.hosts, hosts: '' } }],
  ['a backend', { backends: '# name\nweb\nx\n' }],
  ['a frontend that is closed', { frontends: instead(OBSERVED.frontends, 'OPEN', 'STOP') }],
  ['a certificate', { certificates: new Map([['a.pem', 'BB']]) }],
  ['another worker', { loaded: { ...OBSERVED.loaded, pid: 2 } }],
  ['a limit of all of it', { loaded: { ...OBSERVED.loaded, throttles: [{ what: 'it takes 5 connections', undo: 'set' }] } }],
  ['another configuration', { loaded: { ...OBSERVED.loaded, fingerprint: 'g' } }],
])('what is told by hand is another digest: %s', (_, now) => {
  expect(digestOf({ ...OBSERVED, ...now })).not.toEqual(digestOf(OBSERVED));
});

test('what counts, and what checks find, is no other digest', () => {
  const later = {
    servers: instead(instead(OBSERVED.servers, ' 100 100 5 1 0 ', ' 100 100 3600 6 3 '), ' 10.0.0.1 2 0', ' 10.0.0.1 0 0'),
    frontends: instead(OBSERVED.frontends, ',7,', ',99,'),
    limits: instead(OBSERVED.limits ?? '', ',0,0,0,0,128', ',0,3,9,9,128'),
  };

  expect(digestOf({ ...OBSERVED, ...later })).toEqual(digestOf(OBSERVED));
});

test('limits that were not asked for are not known', () => {
  expect(digestOf({ ...OBSERVED, limits: undefined })).toEqual({ state: digestOf(OBSERVED).state, limits: undefined });
});
