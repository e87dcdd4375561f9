import { expect, test } from '@jest/globals';
import { DEMO_PORTS, type DemoPort, movedPortNotes } from '../../../deploy/demo/demo-ports.ts';
import { consulConfig, demoPrograms } from '../../../deploy/demo/demo-programs.ts';
import { demoFiles } from '../../../deploy/demo/demo-state.ts';

const PLAN = {
  files: demoFiles('/run/d'),
  ports: Object.fromEntries(DEMO_PORTS.map(({ name, port }) => [name, port])) as Record<DemoPort, number>,
  address: '10.0.0.5',
  nodeName: 'host',
  projectFolder: '/toots',
  engineUrl: 'unix:///docker.sock',
};

test('the services are started by the options that stay', () => {
  const [consul, registrator, templater] = demoPrograms(PLAN).map(({ name, args }) => `${name} ${args.join(' ')}`);

  expect(consul).toBe('consul agent -dev -config-file /run/d/consul.json');
  expect(registrator).toBe(
    'registrator /toots/dist/programs/registrator.cjs -ip 10.0.0.5 --docker unix:///docker.sock --api 127.0.0.1:9181 consul://127.0.0.1:8500',
  );
  expect(templater).toBe(
    'templater --max-semi-space-size=4 /toots/dist/programs/templater.cjs --edge --consul http://127.0.0.1:8500 --run-dir /run/d/edge --bind 0.0.0.0 ' +
      '--http-port 80 --https-port 443 --stats-port 81 --domain consul --api 127.0.0.1:9182',
  );
});

test('Consul is on loopback alone, each of its ports the chosen one', () => {
  expect(consulConfig({ ...PLAN, ports: { ...PLAN.ports, dns: 8610 } })).toMatchObject({
    client_addr: '127.0.0.1',
    bind_addr: '127.0.0.1',
    ports: { http: 8500, dns: 8610, server: 8300, serf_lan: 8301, serf_wan: 8302 },
  });
});

test('a port that was taken is told with who has it and what it is instead', () => {
  expect(
    movedPortNotes([
      { name: 'http', wanted: 80, got: 8080, by: 'nginx (pid 7)' },
      { name: 'dns', wanted: 8600, got: 8610, by: undefined },
    ]),
  ).toEqual(['port 80 is taken by nginx (pid 7): HTTP is on 8080', 'port 8600 is taken: Consul’s DNS is on 8610']);
});
