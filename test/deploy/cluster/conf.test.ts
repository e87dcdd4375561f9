import { expect, test } from '@jest/globals';
import { readConf } from '../../../deploy/cluster/conf.ts';
import { conf, entries } from './a-node.ts';

test.each([
  ['TT-10 masters keep their order', 'MASTERS=10.0.0.2, 10.0.0.1', { MASTERS: ['10.0.0.2', '10.0.0.1'] }],
  ['TT-12 the inner domain', 'IN_DOMAIN=corp.', { IN_DOMAIN: 'corp' }],
  ['TT-13 the outer domain without a dot', 'EX_DOMAIN=Example.org', { EX_DOMAIN: 'example.org' }],
  ['TT-13 the outer domain with a dot', 'EX_DOMAIN=.example.org', { EX_DOMAIN: 'example.org' }],
  ['TT-14 no VIP', 'VIP=', { VIP: undefined }],
  ['TT-15 NFS', 'NFS=10.0.0.9:/store', { NFS: '10.0.0.9:/store' }],
  ['TT-16 a registry', 'REGISTRY_IP=10.0.0.8', { REGISTRY_IP: '10.0.0.8' }],
  ['TT-03 a switch', 'START_CHRONOS=false', { START_CHRONOS: false }],
  ['security can be left out', 'SECURE=no', { SECURE: false }],
])('%s', (_, text, expected) => {
  expect(conf(text)).toMatchObject(expected);
});

test('TT-81 words for a daemon are added, or replace ours; its image and memory are named one by one', () => {
  const { daemons } = conf(
    'CONSUL_PARAMS="-log-level  debug"\nMESOS_SLAVE_APP_PARAMS=--help\nHAPROXY_IMAGE=mine/haproxy:3\nMARATHON_MEMORY=4g',
  );

  expect(daemons.consul).toEqual({ image: undefined, memory: undefined, params: ['-log-level', 'debug'], appParams: undefined });
  expect(daemons['mesos-slave'].appParams).toEqual(['--help']);
  expect(daemons.haproxy.image).toBe('mine/haproxy:3');
  expect(daemons.marathon.memory).toBe('4g');
});

test('TT-81 a later file beats an earlier one', () => {
  const read = readConf([...entries('MASTERS=10.0.0.1\nIN_DOMAIN=a'), ...entries('IN_DOMAIN=b')]);

  expect(read).toMatchObject({ kind: 'conf', conf: { IN_DOMAIN: 'b' } });
});

test('every problem is told at once, with place and value', () => {
  const read = readConf(
    entries(
      'MASTERS=10.0.0.1,10.0.0.300\nNIC=a b c\nEX_DOMAIN=no_domain!\nVIP=x\nORCHESTRATOR=swarm\nSTART_CHRONO=true\nCONSUL_IMAGE=$(id)',
    ),
  );

  expect(read.kind === 'wrong' && read.problems.map((problem) => problem.split(' ').slice(0, 2).join(' '))).toEqual([
    'Toots.conf:6: unknown',
    'Toots.conf:1: MASTERS',
    'Toots.conf:2: NIC',
    'Toots.conf:3: EX_DOMAIN',
    'Toots.conf:4: VIP',
    'Toots.conf:5: ORCHESTRATOR',
    'Toots.conf:7: CONSUL_IMAGE',
  ]);
  expect(read.kind === 'wrong' && read.problems[0]).toContain('did you mean START_CHRONOS?');
});

test('TT-03: Consul runs on every node, and that it should not is refused with the reason', () => {
  expect(readConf(entries('MASTERS=10.0.0.1\nSTART_CONSUL=false'))).toEqual({
    kind: 'wrong',
    problems: ['Toots.conf:2: START_CONSUL cannot be false: every node runs Consul, got "false"'],
  });
});

test.each([
  ['', /MASTERS must name at least one/],
  ['MASTERS=10.0.0.1,10.0.0.1', /10.0.0.1 stands twice/],
  ['MASTERS=0.0.0.0', /MASTERS 0\.0\.0\.0 is no address that a machine has/],
  ['MASTERS=10.0.0.1,127.0.0.1', /MASTERS 127\.0\.0\.1 is no address that a machine has/],
  ['MASTERS=255.255.255.255', /MASTERS 255\.255\.255\.255 is no address/],
  ['MASTERS=10.0.0.1,224.0.0.18', /MASTERS 224\.0\.0\.18 is no address/],
  ['MASTERS=10.0.0.1\nVIP=127.0.0.2', /VIP is no address that a machine has.*got "127\.0\.0\.2"/],
  ['MASTERS=10.0.0.1\nIP=0.0.0.0', /IP is no address that a machine has/],
])('%j is refused', (text, problem) => {
  const read = readConf(entries(text));

  expect(read).toEqual({ kind: 'wrong', problems: [expect.stringMatching(problem)] });
});
