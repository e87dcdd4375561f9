import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { type ClusterHost, type Lan, loadImages, startLan, writeConf } from '../harness/cluster-host.ts';
import { IMAGES_BUDGET_MS, ownImages, prepareImages } from '../harness/cluster-images.ts';
import { testImage } from '../harness/docker.ts';
import { startLanLoad } from '../harness/lan-load.ts';
import { createOwned, type Owned } from '../harness/owned.ts';
import { until } from '../harness/until.ts';

beforeAll(prepareImages, IMAGES_BUDGET_MS);

/** Three masters, two slaves and two edges with an address in common, all up; `web` runs on both slaves. */
async function startCluster(lan: Lan, own: Owned) {
  const vip = lan.address(100);
  const host = async (name: string, number: number) => own.use(await lan.host(name, number));
  const masters = [await host('master1', 1), await host('master2', 2), await host('master3', 3)] as const;
  const slaves = [await host('slave1', 11), await host('slave2', 12)] as const;
  const edges = [await host('edge1', 21), await host('edge2', 22)] as const;
  const conf = `MASTERS=${masters.map(({ address }) => address).join(',')}\nNIC=eth0\nVIP=${vip}\nORCHESTRATOR=none\n`;
  const web = await testImage();
  await loadImages(masters, ownImages('consul'));
  await loadImages(slaves, [...ownImages('consul', 'registrator'), web]);
  await loadImages(edges, ownImages('consul', 'haproxy', 'keepalived'));
  const [first] = masters;
  await writeConf(first, conf);
  await first.toots('secrets');
  for (const one of masters.slice(1)) await writeConf(one, conf, first, 'secrets.json');
  for (const one of [...slaves, ...edges]) await writeConf(one, conf, first);
  const up = (one: ClusterHost, ...words: readonly string[]) => one.toots('up', '--yes', '--wait', '10m', '--roles', ...words);
  await Promise.all([
    ...masters.map((one) => up(one, 'master', '--register-masters', 'no')),
    ...slaves.map((one) => up(one, 'slave')),
    ...edges.map((one) => up(one, 'edge')),
  ]);
  for (const one of slaves) await startWeb(one, 'web');
  return { vip, masters, slaves, edges };
}

async function startWeb(slave: ClusterHost, service: string): Promise<string> {
  const command = `mkdir -p /www; echo ${slave.name} > /www/index.html; trap exit TERM; httpd -f -p 80 -h /www & wait`;
  const env = ['-e', `SERVICE_NAME=${service}`, '-e', 'SERVICE_TAGS=haproxy'];
  return await slave.docker('run', '-d', '-p', '80', ...env, await testImage(), 'sh', '-c', command);
}

test('a cluster of seven goes on when a master, the leader, a slave and an edge are lost, and while it is upgraded', async () => {
  await using own = createOwned();
  const lan = own.use(await startLan());
  const { vip, masters, slaves, edges } = await startCluster(lan, own);
  const ask = (address: string, name = 'web') =>
    lan.run('curl', ['-sf', '-m', '10', '-H', `Host: ${name}.service.consul`, `http://${address}/`]);
  const both = async (address: string) => new Set(await Promise.all(Array.from({ length: 8 }, () => ask(address)))).size === 2;
  for (const address of [...edges.map((edge) => edge.address), vip])
    await until(() => both(address), 60_000, `${address} serves both instances`);
  const holders = async () => {
    const tables = await Promise.all(edges.map((edge) => edge.run('ip', ['-4', 'address', 'show', 'dev', 'eth0'])));
    return edges.filter((_, i) => tables[i]?.includes(` ${vip}/`));
  };
  expect(await holders()).toHaveLength(1);
  const load = own.use(await startLanLoad(lan, `http://${vip}/`, 'web.service.consul'));
  await until(() => load.take().good > 0, 30_000, 'the load is answered');
  const lost = () => load.take().bad;

  // Instances come and go.
  for (const slave of slaves) {
    const id = await startWeb(slave, 'web');
    await slave.docker('stop', '-t', '3', id);
  }
  expect(lost()).toEqual([]);

  // The leader is lost, then comes back.
  const leaderOf = (host: ClusterHost) => host.run('curl', ['-sf', '-m', '3', 'http://127.0.0.1:8500/v1/status/leader']);
  const leaderAddress = JSON.parse(await leaderOf(masters[0])).split(':')[0];
  const leader = masters.find(({ address }) => address === leaderAddress) ?? masters[0];
  const rest = masters.filter((master) => master !== leader);
  await leader.link('down');
  await until(async () => !(await leaderOf(rest[0] ?? leader)).includes(leader.address), 60_000, 'another leader');
  await startWeb(slaves[0], 'later');
  await until(() => ask(vip, 'later'), 60_000, 'a new service is served with two masters');
  await leader.link('up');
  await until(async () => (await leaderOf(leader)).length > 2, 60_000, 'the lost master knows the leader again');
  expect(lost()).toEqual([]);

  // A daemon after the other is replaced, node by node.
  for (const host of [...masters, ...slaves, ...edges]) {
    await appendFile(join(host.folder, 'Toots.conf'), 'CONSUL_MEMORY=900m\nREGISTRATOR_MEMORY=250m\nTEMPLATER_MEMORY=500m\n');
    await host.toots('upgrade', '--no-build');
  }
  expect(lost()).toEqual([]);

  // A slave is cut off: its instance is served no more, and again when it is back.
  await slaves[1].link('down');
  await until(
    async () => (await Promise.all(Array.from({ length: 8 }, () => ask(vip)))).every((who) => who === 'slave1'),
    90_000,
    'the instance of the lost slave is left out',
  );
  await slaves[1].link('up');
  await until(() => both(vip), 90_000, 'both slaves serve again');
  load.take();

  // The edge that has the address is lost.
  const [holder = edges[0]] = await holders();
  const other = edges.find((edge) => edge !== holder) ?? edges[1];
  await holder.link('down');
  await until(
    async () => (await other.run('ip', ['-4', 'address', 'show', 'dev', 'eth0'])).includes(` ${vip}/`),
    30_000,
    'the address moves',
  );
  await until(() => ask(vip), 30_000, 'the other edge serves');
  load.take();
  await until(() => load.take().good > 20, 30_000, 'the load is answered by the other edge');
  expect(lost().length).toBeLessThanOrEqual(4); // those that were under way to the lost one
}, 1_500_000);
