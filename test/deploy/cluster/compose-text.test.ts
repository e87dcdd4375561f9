import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { composeText } from '../../../deploy/cluster/compose-text.ts';
import { planNode } from '../../../deploy/cluster/plan-node.ts';
import { aNode } from './a-node.ts';

const composed = (options: Parameters<typeof aNode>[0]) => parse(composeText(planNode(aNode(options))));

test('TT-04: no container has more than it needs; Mesos’ agent alone is privileged', () => {
  const { services } = composed({ roles: ['master', 'slave', 'edge'], answers: { vip: '10.0.0.100' } });

  const privileged = Object.keys(services).filter((name) => services[name].privileged);
  expect(privileged).toEqual(['mesos-slave']);
  for (const name of ['consul', 'registrator', 'templater', 'haproxy', 'keepalived'])
    expect(services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'], network_mode: 'host', restart: 'always' });
  expect(services.registrator).toMatchObject({ security_opt: ['no-new-privileges:true'], group_add: ['999'] });
  expect(services.haproxy.cap_add).toEqual(['NET_BIND_SERVICE']);
  expect(services.keepalived).toMatchObject({
    cap_add: ['NET_ADMIN', 'NET_RAW', 'SETGID'],
    user: '0:7171',
    security_opt: ['no-new-privileges:true'],
  });
  for (const name of ['zookeeper', 'mesos-master', 'marathon', 'chronos']) {
    expect(services[name]).toMatchObject({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(services[name].cap_add).not.toContain('NET_ADMIN');
  }
  for (const service of Object.values<Record<string, unknown>>(services)) {
    expect(service).toMatchObject({ mem_limit: expect.any(String), logging: { options: { 'max-size': '10m' } } });
  }
});

test('TT-83: what a value holds is text to Compose, whatever it looks like', () => {
  const hostile = ['$(id) ${HO', 'ME} `id` "x" \'y\'\n- z: #'].join('');
  const { services } = composed({ roles: ['slave'], context: { env: { NOTE: hostile } } });

  expect(services.consul.environment.NOTE).toBe(hostile.replaceAll('$', '$$$$'));
});

test('named volumes are declared', () => {
  expect(composed({ roles: ['edge'], answers: { vip: '10.0.0.100' } }).volumes).toEqual({ 'consul-data': {}, edge: {}, vip: {} });
});
