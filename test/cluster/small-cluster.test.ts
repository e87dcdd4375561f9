import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { type ClusterHost, loadImages, startLan, writeConf } from '../harness/cluster-host.ts';
import { IMAGES_BUDGET_MS, ownImages, prepareImages } from '../harness/cluster-images.ts';
import { testImage } from '../harness/docker.ts';
import { until } from '../harness/until.ts';

beforeAll(prepareImages, IMAGES_BUDGET_MS);

test('one master, one slave and one edge make a cluster that serves a container', async () => {
  const web = await testImage();
  await using lan = await startLan();
  await using master = await lan.host('master1', 1);
  await using slave = await lan.host('slave1', 11);
  await using edge = await lan.host('edge1', 21);
  const conf = `MASTERS=${master.address}\nNIC=eth0\nEX_DOMAIN=.example.org\nORCHESTRATOR=none\n`;
  await Promise.all([
    loadImages([master], ownImages('consul', 'registrator')),
    loadImages([slave], [...ownImages('consul', 'registrator', 'haproxy', 'dnsmasq'), web]),
    loadImages([edge], ownImages('consul', 'haproxy')),
  ]);

  await writeConf(master, conf);
  await master.toots('secrets');
  await writeConf(slave, conf, master);
  await writeConf(edge, conf, master);
  await Promise.all([
    master.toots('up', '--roles', 'master', '--yes'),
    slave.toots('up', '--roles', 'slave', '--internal-dns', 'yes', '--yes'),
    edge.toots('up', '--roles', 'edge', '--yes'),
  ]);
  await slave.docker(
    ...['run', '-d', '-p', '80', '-e', 'SERVICE_NAME=web', '-e', 'SERVICE_TAGS=haproxy', web],
    ...['sh', '-c', 'mkdir -p /www; echo hello > /www/index.html; httpd -f -p 80 -h /www'],
  );

  const ask = (host: ClusterHost, name: string) => lan.run('curl', ['-sf', '-m', '2', '-H', `Host: ${name}`, `http://${host.address}/`]);
  expect(await until(() => ask(edge, 'web.service.consul'), 30_000, 'the edge serves it')).toBe('hello');
  expect(await ask(edge, 'web.example.org')).toBe('hello');
  expect(await slave.run('dig', ['+short', 'web.service.consul'])).toBe(slave.address);
  expect(await slave.run('dig', ['+short', 'web.service.consul', 'SRV'])).toMatch(/^1 \d+ \d+ \S+$/);
  expect(await slave.run('curl', ['-sf', 'http://web.service.consul/'])).toBe('hello');
  expect(await slave.toots('status')).toContain('registrator');

  const resolvConf = await readFile('/etc/resolv.conf', 'utf8');
  await slave.toots('down');
  expect(await slave.run('cat', ['/etc/resolv.conf'])).toBe(resolvConf.trimEnd());
  expect(await slave.docker('ps', '-q', '--filter', 'name=toots-')).toBe('');
}, 600_000);
