import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { type ClusterHost, type Lan, loadImages, startLan, writeConf } from '../harness/cluster-host.ts';
import { IMAGES_BUDGET_MS, ownImages, prepareImages } from '../harness/cluster-images.ts';
import { testImage } from '../harness/docker.ts';
import { startLanLoad } from '../harness/lan-load.ts';
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
    loadImages([edge], ownImages('consul', 'haproxy', 'keepalived')),
  ]);

  await writeConf(master, conf);
  await master.toots('secrets');
  await writeConf(slave, conf, master);
  await writeConf(edge, conf, master);
  await Promise.all([
    master.toots('up', '--roles', 'master', '--yes'),
    slave.toots('up', '--roles', 'slave', '--internal-dns', 'yes', '--yes'),
    edge.toots('up', '--roles', 'edge', '--vip', lan.address(100), '--yes'),
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

  await slave.docker('exec', 'toots-dnsmasq', 'dnsmasq', '--test', '--conf-file=/toots/dns/dnsmasq.conf');
  await edge.docker('exec', 'toots-keepalived', 'keepalived', '--config-test', '--use-file=/run/toots/vip/keepalived.conf');
  const management = await expectLeastPrivilege(master, [slave, edge]);
  await expectNoZombies(slave);
  await expectLogsAndRestart(slave);
  await expectNothingToDo(slave);
  await expectBackup(master, edge, management);
  await expectUpgrade(lan, edge, 'haproxy', edge.address);
  await expectUpgrade(lan, edge, 'keepalived', lan.address(100));

  const resolvConf = await readFile('/etc/resolv.conf', 'utf8');
  await slave.toots('down');
  expect(await slave.docker('volume', 'ls', '-q', '--filter', 'name=toots_')).not.toBe('');
  await slave.docker('volume', 'create', '--label', 'com.docker.compose.project=toots', 'of-others');
  await slave.toots('down', '--volumes');
  expect(await slave.docker('volume', 'ls', '-q', '--filter', 'name=of-others')).toBe('of-others');
  expect(await slave.run('ls', ['-A', '/var/lib/toots'])).toBe('');
  expect(await slave.run('cat', ['/etc/resolv.conf'])).toBe(resolvConf.trimEnd());
  expect(await slave.docker('ps', '-aq', '--filter', 'name=toots-')).toBe('');
  expect(await slave.docker('volume', 'ls', '-q', '--filter', 'name=toots_')).toBe('');
  const members = await master.docker('exec', '-e', `CONSUL_HTTP_TOKEN=${management}`, 'toots-consul', 'consul', 'members');
  expect(members).toMatch(/^slave1 .* left /m);
}, 600_000);

/** What masters alone know is nowhere on the others, and without a token nothing is written. Answers the management token. */
async function expectLeastPrivilege(master: ClusterHost, others: readonly ClusterHost[]): Promise<string> {
  const secrets = JSON.parse(await readFile(join(master.folder, 'restricted/secrets.json'), 'utf8'));
  const { management, server } = secrets.master;
  const keyLine: string = server.key.split('\n')[1];
  const holders = async (host: ClusterHost, text: string) => {
    const files = host.run('grep', ['-rlF', '-e', text, '/var/lib/toots', join(host.folder, 'restricted')]).catch(() => '');
    const ids = (await host.docker('ps', '-q')).split('\n');
    return [await files, (await host.docker('inspect', ...ids)).includes(text) ? 'a container' : '']
      .filter((found) => found !== '')
      .join('\n');
  };
  for (const host of others) expect([await holders(host, management), await holders(host, keyLine)]).toEqual(['', '']);
  expect((await holders(master, management)).split('\n').sort()).toEqual([
    join(master.folder, 'restricted/secrets.json'),
    '/var/lib/toots/consul/agent.json',
  ]);
  const [slave] = others;
  const put = await slave?.run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-X', 'PUT', 'http://127.0.0.1:8500/v1/kv/a']);
  expect(put).toBe('403');
  return management;
}

/** A process that lost its parent is taken in by process 1. */
async function expectNoZombies(host: ClusterHost): Promise<void> {
  for (const name of ['registrator', 'templater']) {
    const inside = (script: string) => host.docker('exec', `toots-${name}`, 'sh', '-c', script);
    expect(await inside('cat /proc/1/comm')).toBe('tini');
    await inside('(sh -c "sleep 0.3; exit 0" &)');
    const left = () => inside('cat /proc/[0-9]*/stat 2>/dev/null | grep -c -e ") Z" -e "(sleep)" || true');
    await until(async () => (await left()) === '0', 10_000, `${name} leaves no zombie`);
  }
}

async function expectLogsAndRestart(slave: ClusterHost): Promise<void> {
  expect(await slave.toots('logs', 'consul', '--tail', '200')).toMatch(/toots-consul .*agent/);
  await expect(slave.toots('logs', 'cnsul')).rejects.toThrow(/"cnsul" is no daemon of this node; it runs consul, dnsmasq, registrator/);
  const started = () => slave.docker('inspect', '-f', '{{.State.StartedAt}}', 'toots-registrator');
  const before = await started();
  expect(await slave.toots('restart', 'registrator')).toContain('✓ Restarting registrator');
  expect(await started()).not.toBe(before);
}

/** A second start with the same answers leaves everything as it is. */
async function expectNothingToDo(slave: ClusterHost): Promise<void> {
  const started = async () =>
    slave.docker('inspect', '-f', '{{.Name}} {{.State.StartedAt}}', ...(await slave.docker('ps', '-q')).split('\n'));
  const before = await started();
  const said = await slave.toots('up', '--yes');
  expect(said.match(/ {2}(start|replace|remove)/g)).toBeNull();
  expect(said.match(/ {2}keep$/gm)).toHaveLength(5);
  expect(await started()).toBe(before);
}

/** What a snapshot holds is there again after it was lost; nodes that are no masters can do neither. */
async function expectBackup(master: ClusterHost, edge: ClusterHost, management: string): Promise<void> {
  const file = join(master.folder, 'consul.snapshot');
  const kv = (...words: readonly string[]) =>
    master.run('curl', ['-sf', '-H', `X-Consul-Token: ${management}`, ...words, 'http://127.0.0.1:8500/v1/kv/haproxy/web/maxconn']);
  await kv('-X', 'PUT', '-d', '77');
  expect(await master.toots('backup', file)).toMatch(/consul\.snapshot: \d+ bytes/);
  expect(await master.run('stat', ['-c', '%a', file])).toBe('600');
  await kv('-X', 'DELETE');
  await expect(kv()).rejects.toThrow();
  await master.toots('restore', file);
  expect(JSON.parse(await kv())).toMatchObject([{ Value: Buffer.from('77').toString('base64') }]);
  await expect(edge.toots('backup', file)).rejects.toThrow(/secrets\.nodes\.json.*run it on a master/s);
  await expect(master.toots('restore', '/dev/null')).rejects.toThrow(/restore|snapshot/);
}

const TOLD_BEFORE = {
  haproxy: 'HAProxy hands its sockets over: no request is lost',
  keepalived: 'Where this node has the VIP, it keeps it',
};

/** Under load: one that never becomes well goes back, one that does stays; nobody loses a request at the address. */
async function expectUpgrade(lan: Lan, edge: ClusterHost, name: 'haproxy' | 'keepalived', address: string): Promise<void> {
  const running = (what: string) => edge.docker('inspect', '-f', what, `toots-${name}`);
  const [image = ''] = ownImages(name);
  const conf = join(edge.folder, 'Toots.conf');
  const others = () => edge.docker('inspect', '-f', '{{.State.StartedAt}}', 'toots-consul', 'toots-templater');
  const [before, othersBefore] = [await running('{{.Image}}'), await others()];
  const ill = await edge.docker('create', image);
  await edge.docker('commit', '--change', 'ENTRYPOINT ["sleep", "infinity"]', '--change', 'CMD []', ill, `toots/ill-${name}:1`);
  await using load = await startLanLoad(lan, `http://${address}/`, 'web.service.consul');
  await until(() => load.take().good > 0, 30_000, 'the load is answered');

  const good = await readFile(conf, 'utf8');
  await appendFile(conf, `${name.toUpperCase()}_IMAGE=toots/ill-${name}:1\n`);
  await expect(edge.toots('upgrade', '--no-build', '--wait', '3s')).rejects.toThrow(
    new RegExp(`upgrade ${name}.*is what it was before again`, 's'),
  );
  expect(await running('{{.Image}} {{.State.Health.Status}}')).toBe(`${before} healthy`);

  await edge.run('sh', ['-c', 'printf %s "$1" >"$2"', 'sh', `${good}${name.toUpperCase()}_MEMORY=300m\n`, conf]);
  expect(await edge.toots('upgrade', '--dry-run')).toMatch(new RegExp(`${name} +replace .*\\n${TOLD_BEFORE[name]}`, 's'));
  expect(await running('{{.Image}} {{.State.Health.Status}}')).toBe(`${before} healthy`);
  expect(await edge.toots('upgrade', '--no-build')).toMatch(new RegExp(`${name} +replace \\(image, mem_limit\\)`));
  expect(await running('{{.HostConfig.Memory}} {{.State.Health.Status}}')).toBe(`${300 * 1024 ** 2} healthy`);
  expect(await others()).toBe(othersBefore);
  await load.settled();
  const { good: answered, bad } = load.take();
  expect(answered).toBeGreaterThan(100);
  expect(bad).toEqual([]);
}
