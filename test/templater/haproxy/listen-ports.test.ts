import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { createPlanner } from '../../../model/plan-edge.ts';
import { equalPorts } from '../../../templater/haproxy/edge-settings.ts';
import { createListenPorts } from '../../../templater/haproxy/listen-ports.ts';
import { parsePortRanges, shownRanges } from '../../../templater/haproxy/port-ranges.ts';
import { freePort } from '../../harness/free-port.ts';
import { aCatalog, anInstance, POLICY } from '../../model/a-catalog.ts';

const SETTINGS = {
  bind: '127.0.0.1',
  httpPort: 80,
  httpsPort: 443,
  statsPort: 81,
  api: { address: '127.0.0.1', port: 9200 },
  tcpPorts: [{ from: 1, to: 65_535 }],
};
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

test('a port outside of the ranges that services may open is refused, free or not', () => {
  const { refused } = createListenPorts({ ...SETTINGS, tcpPorts: parsePortRanges('9000-9300, 30000') ?? [] });

  expect([9000, 9300, 30_000].map((port) => refused().get(port))).toEqual([undefined, undefined, undefined]);
  expect([22, 8999, 9301, 30_001].map((port) => refused().get(port))).toEqual(
    Array.from({ length: 4 }, () => expect.stringContaining('services may open 9000-9300, 30000')),
  );
  expect(refused().get(9200)).toContain('API port');
});

test.each<[text: string, ranges: string | undefined]>([
  ['', '1-65535'],
  ['80', '80'],
  [' 1024-2000 , 5432', '1024-2000, 5432'],
  ['0-10', undefined],
  ['10-9', undefined],
  ['1-65536', undefined],
  ['a-b', undefined],
  ['1-2-3', undefined],
  ['80,', undefined],
])('port ranges %j are %s', (text, ranges) => {
  const parsed = parsePortRanges(text);

  expect(parsed && shownRanges(parsed)).toBe(ranges);
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
