import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { type ClusterHost, type Lan, loadImages, startLan, writeConf } from '../harness/cluster-host.ts';
import { IMAGES_BUDGET_MS, ownImages, prepareImages } from '../harness/cluster-images.ts';
import { testImage } from '../harness/docker.ts';
import { CLIENTS, type LanLoad, startLanLoad } from '../harness/lan-load.ts';
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
  const conf = `MASTERS=${masters.map(({ address }) => address).join(',')}\nNIC=eth0\nORCHESTRATOR=none\n`;
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
    ...edges.map((one) => up(one, 'edge', '--vip', vip)),
  ]);
  for (const one of slaves) await startWeb(one, 'web');
  return { vip, masters, slaves, edges };
}

/** Tells Consul's catalog of a node, or of its end, as whoever may do everything. */
async function catalog(master: ClusterHost, what: 'register' | 'deregister', body: object): Promise<void> {
  const { management } = JSON.parse(await readFile(join(master.folder, 'restricted/secrets.json'), 'utf8')).master;
  const header = ['-H', `X-Consul-Token: ${management}`];
  await master.run('curl', ['-sf', '-X', 'PUT', ...header, '-d', JSON.stringify(body), `http://127.0.0.1:8500/v1/catalog/${what}`]);
}

async function startWeb(slave: ClusterHost, service: string): Promise<string> {
  const command = `mkdir -p /www; echo ${slave.name} > /www/index.html; trap exit TERM; httpd -f -p 80 -h /www & wait`;
  const env = ['-e', `SERVICE_NAME=${service}`, '-e', 'SERVICE_TAGS=haproxy'];
  return await slave.docker('run', '-d', '-p', '80', ...env, await testImage(), 'sh', '-c', command);
}

/** Requests lost in each phase, told at the end, also of a run that failed. */
function lossBook(load: LanLoad) {
  const rows: string[] = [];
  let taken = { good: 0, bad: [] as readonly string[] };
  const look = () => {
    const { good, bad } = load.take();
    taken = { good: taken.good + good, bad: [...taken.bad, ...bad] };
    return taken;
  };
  return {
    rows: () => rows.join('\n'),
    /** Requests that were answered in this phase so far. */
    answered: () => look().good,
    /** What was lost since the last phase. */
    close: async (phase: string): Promise<readonly string[]> => {
      await load.settled();
      const { good, bad } = look();
      taken = { good: 0, bad: [] };
      rows.push(
        `${phase}: ${bad.length} of ${good + bad.length} requests lost${bad.length === 0 ? '' : ` (${bad.slice(0, 3).join('; ')})`}`,
      );
      return bad;
    },
  };
}

test('a cluster of seven goes on when masters, slaves and an edge are lost, parted from each other, and upgraded', async () => {
  await using own = createOwned();
  const lan = own.use(await startLan());
  const { vip, masters, slaves, edges } = await startCluster(lan, own);
  const ask = (address: string, name = 'web') =>
    lan.run('curl', ['-sf', '-m', '10', '-H', `Host: ${name}.service.consul`, `http://${address}/`]);
  const answers = async (address: string) => new Set(await Promise.all(Array.from({ length: 8 }, () => ask(address))));
  const both = async (address: string) => (await answers(address)).size === 2;
  const onlySlave1 = async (address: string) => [...(await answers(address))].join() === 'slave1';
  for (const address of [...edges.map((edge) => edge.address), vip])
    await until(() => both(address), 60_000, `${address} serves both instances`);
  const has = async (edge: ClusterHost) => (await edge.run('ip', ['-4', 'address', 'show', 'dev', 'eth0'])).includes(` ${vip}/`);
  const holders = async () => {
    const have = await Promise.all(edges.map(has));
    return edges.filter((_, i) => have[i]);
  };
  expect(await holders()).toHaveLength(1);
  const load = own.use(await startLanLoad(lan, `http://${vip}/`, 'web.service.consul'));
  await until(() => load.take().good > 0, 30_000, 'the load is answered');
  const book = lossBook(load);
  own.use({ [Symbol.asyncDispose]: async () => void process.stderr.write(`${book.rows()}\n`) });

  // Instances come and go.
  for (const slave of slaves) {
    const id = await startWeb(slave, 'web');
    await slave.docker('stop', '-t', '3', id);
  }
  expect(await book.close('instances started and stopped')).toEqual([]);

  // A third edge comes and goes in the catalog: keepalived reads its new peers, and the address stays where it is.
  const [firstHolder = edges[0]] = await holders();
  const peers = () => firstHolder.docker('exec', 'toots-keepalived', 'cat', '/run/toots/vip/keepalived.conf');
  const reloads = async () => (await firstHolder.run('sh', ['-c', 'docker logs toots-keepalived 2>&1'])).split('Reload complete').length;
  const reloadsBefore = await reloads();
  const third = { Node: 'edge3', Address: lan.address(23), Service: { Service: 'toots-edge', Port: 80 } };
  await catalog(masters[0], 'register', third);
  await until(async () => (await peers()).includes(lan.address(23)), 30_000, 'the new edge is a peer');
  await until(async () => (await reloads()) > reloadsBefore, 30_000, 'keepalived has read it');
  await catalog(masters[0], 'deregister', { Node: 'edge3' });
  await until(async () => !(await peers()).includes(lan.address(23)), 30_000, 'it is one no more');
  expect(await holders()).toEqual([firstHolder]);
  expect(await book.close('an edge came and went')).toEqual([]);

  // A master's Consul is killed; then the leader's machine is off the network.
  const leaderOf = (host: ClusterHost) => host.run('curl', ['-sf', '-m', '3', 'http://127.0.0.1:8500/v1/status/leader']);
  const leaderAddress = JSON.parse(await leaderOf(masters[0])).split(':')[0];
  const leader = masters.find(({ address }) => address === leaderAddress) ?? masters[0];
  const [follower = masters[1]] = masters.filter((master) => master !== leader);
  await follower.docker('kill', 'toots-consul');
  await startWeb(slaves[0], 'sooner');
  await until(() => ask(vip, 'sooner'), 60_000, 'a new service is served without a master');
  await follower.docker('start', 'toots-consul');
  await until(async () => (await leaderOf(follower)).includes(leader.address), 60_000, 'the killed master knows the leader again');
  expect(await book.close('a master killed')).toEqual([]);
  await leader.link('down');
  await until(async () => !(await leaderOf(follower)).includes(leader.address), 60_000, 'another leader');
  await startWeb(slaves[0], 'later');
  await until(() => ask(vip, 'later'), 60_000, 'a new service is served with two masters');
  await leader.link('up');
  await until(async () => (await leaderOf(leader)).length > 2, 60_000, 'the lost master knows the leader again');
  expect(await book.close('the leader lost')).toEqual([]);

  // Every daemon is replaced, one after the other, node by node; the VIP stays where it is.
  const [holder = edges[0]] = await holders();
  const other = edges.find((edge) => edge !== holder) ?? edges[1];
  const upgrade = async (host: ClusterHost, ...daemons: readonly string[]) => {
    await appendFile(join(host.folder, 'Toots.conf'), daemons.map((name) => `${name}_MEMORY=333m\n`).join(''));
    return await host.toots('upgrade', '--no-build');
  };
  for (const host of [...masters, ...slaves]) await upgrade(host, 'CONSUL', 'REGISTRATOR');
  for (const host of edges) {
    const said = await upgrade(host, 'CONSUL', 'TEMPLATER', 'HAPROXY', 'VIP_TEMPLATER');
    expect(said.match(/✓ Upgrading \S+/g)).toEqual(
      ['consul', 'templater', 'haproxy', 'vip-templater'].map((name) => `✓ Upgrading ${name}`),
    );
  }
  expect(await book.close('every daemon upgraded but keepalived')).toEqual([]);
  expect(await holder.toots('restart', 'haproxy')).toMatch(/✓ A stand-in for HAProxy .*\n.*✓ Restarting haproxy/);
  await appendFile(join(holder.folder, 'Toots.conf'), 'HAPROXY_MEMORY=334m\n');
  expect(await holder.toots('up', '--yes')).toMatch(/haproxy +replace \(mem_limit\)/);
  expect(await book.close('HAProxy restarted, and replaced by up, where the VIP is')).toEqual([]);
  expect(await upgrade(other, 'KEEPALIVED')).not.toMatch(/A stand-in/);
  expect(await book.close('keepalived upgraded where the VIP is not')).toEqual([]);
  expect(await upgrade(holder, 'KEEPALIVED')).toMatch(/✓ A stand-in for keepalived .*\n.*✓ Upgrading keepalived/);
  expect(await book.close('keepalived upgraded where the VIP is')).toEqual([]);
  expect(await holder.toots('restart', 'keepalived')).toMatch(/✓ A stand-in for keepalived .*\n.*✓ Restarting keepalived/);
  expect(await book.close('keepalived restarted where the VIP is')).toEqual([]);
  expect(await holders()).toEqual([holder]);
  expect(await holder.run('ip', ['-4', 'address', 'show', 'dev', 'lo'])).not.toContain(vip);
  const peersSaid = await other.run('sh', ['-c', 'docker logs toots-keepalived 2>&1']);
  expect(peersSaid).not.toMatch(/MASTER STATE|priority 0/);

  // HAProxy does not answer on the node that has the address: it moves.
  await holder.docker('pause', 'toots-haproxy');
  await until(() => has(other), 30_000, 'the address leaves an edge whose HAProxy hangs');
  await until(() => ask(vip), 30_000, 'the other edge serves');
  await holder.docker('unpause', 'toots-haproxy');
  expect((await book.close('HAProxy hung where the VIP is, until it moved')).length).toBeLessThanOrEqual(CLIENTS);

  // A slave loses its container, then its engine, then its network.
  const lostWeb = await startWeb(slaves[1], 'web');
  await slaves[1].docker('kill', lostWeb);
  expect(await book.close('a container killed')).toEqual([]);
  await slaves[1].killEngine();
  await until(() => both(vip), 30_000, 'what runs is served without its engine');
  await slaves[1].startEngine();
  await until(() => slaves[1].docker('inspect', '-f', '{{.State.Running}}', 'toots-registrator'), 60_000, 'the registrator runs again');
  expect(await book.close('an engine killed and started again')).toEqual([]);
  await until(() => onlySlave1(vip), 60_000, 'the container that the new engine ended is left out');
  await startWeb(slaves[1], 'web');
  await until(() => both(vip), 90_000, 'both slaves serve again');
  await book.close('both slaves serve again');
  await slaves[1].link('down');
  await until(() => onlySlave1(vip), 90_000, 'the instance of the lost slave is left out');
  await slaves[1].link('up');
  await until(() => both(vip), 90_000, 'both slaves serve again');
  expect((await book.close('a slave’s network cut, and back')).length).toBeLessThanOrEqual(2 * CLIENTS);

  // A master and a slave are parted from the rest: each side goes on, and they come together again.
  await lan.part([masters[2], slaves[1]]);
  await until(() => onlySlave1(vip), 90_000, 'the instance on the other side is left out');
  await startWeb(slaves[1], 'beyond');
  await lan.part([]);
  await until(() => both(vip), 90_000, 'both slaves serve again');
  await until(() => ask(vip, 'beyond'), 60_000, 'what started on the other side is served');
  expect((await book.close('parted, and together again')).length).toBeLessThanOrEqual(2 * CLIENTS);

  // The edge that has the address is lost.
  const [last = edges[0]] = await holders();
  const heir = edges.find((edge) => edge !== last) ?? edges[1];
  await last.link('down');
  await until(() => has(heir), 30_000, 'the address moves');
  await until(() => ask(vip), 30_000, 'the other edge serves');
  const before = book.answered();
  await until(() => book.answered() > before + 40, 30_000, 'the load is answered by the other edge');
  expect((await book.close('the edge with the VIP lost')).length).toBeLessThanOrEqual(CLIENTS);
}, 1_800_000);
