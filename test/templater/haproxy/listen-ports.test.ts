import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { createPlanner } from '../../../model/plan-edge.ts';
import { equalPorts } from '../../../templater/haproxy/edge-settings.ts';
import { createListenPorts } from '../../../templater/haproxy/listen-ports.ts';
import { freePort } from '../../harness/free-port.ts';
import { aCatalog, anInstance, POLICY } from '../../model/a-catalog.ts';

const SETTINGS = { bind: '127.0.0.1', httpPort: 80, httpsPort: 443, statsPort: 81, api: { address: '127.0.0.1', port: 9200 } };
const planned = (port: number) => createPlanner()(aCatalog([anInstance({ tags: [`haproxy_tcp=${port}`] })]), POLICY, new Map());

test.each([
  [80, 'HTTP port of the edge'],
  [443, 'HTTPS port'],
  [81, 'statistics port'],
  [9200, 'API port'],
  [8300, 'Consul'],
  [8600, 'Consul'],
  [9181, 'registrator'],
  [18500, 'Consul'],
])('port %i is never a listener’s, free or not: %s', (port, whose) => {
  const ports = createListenPorts({ ...SETTINGS, consul: { kind: 'tcp', tls: false, host: '127.0.0.1', port: 18500 } });

  expect(ports.refused().get(port)).toContain(whose);
});

test('a port that another program listens on is refused until it is free', async () => {
  const port = await freePort();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  const ports = createListenPorts(SETTINGS);

  expect(await ports.probe(planned(port), new Map())).toBe(true);
  expect([ports.refused().get(port), ports.waiting()]).toEqual([expect.stringContaining('another program'), true]);

  await new Promise((resolve) => other.close(resolve));
  expect(await ports.probe(planned(port), new Map())).toBe(true);
  expect([ports.refused().has(port), ports.waiting()]).toEqual([false, false]);
});

test('a port that HAProxy listens on already is not tried', async () => {
  const port = await freePort();
  const haproxy = createServer();
  await new Promise<void>((resolve) => haproxy.listen(port, '127.0.0.1', resolve));

  expect(await createListenPorts(SETTINGS).probe(planned(port), new Map([[port, 'tcp:web']]))).toBe(false);
  await new Promise((resolve) => haproxy.close(resolve));
});

test('the edge’s own ports are each another', () => {
  expect(equalPorts(SETTINGS)).toEqual([]);
  expect(equalPorts({ ...SETTINGS, statsPort: 80, api: { address: '', port: 80 } })).toEqual([
    '-stats-port: 80 is that of -http-port already; each needs its own',
    '-api: 80 is that of -http-port already; each needs its own',
  ]);
});
