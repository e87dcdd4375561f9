import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { EdgePlan } from '../../../model/edge.ts';
import type { Instance } from '../../../model/instance.ts';
import { createPlanner } from '../../../model/plan-edge.ts';
import { vhostKeys } from '../../../templater/haproxy/path-keys.ts';
import { variantKeys } from '../../../templater/haproxy/variant-keys.ts';
import { type EdgeWorld, startEdgeWorld } from '../../harness/edge-world.ts';
import { freePorts } from '../../harness/free-port.ts';
import { startProgram } from '../../harness/program.ts';
import { deregister, register } from '../../harness/registered.ts';
import { until } from '../../harness/until.ts';
import { aCatalog, anInstance, POLICY } from '../../model/a-catalog.ts';

/** What HAProxy has to be, or is, as lines of text. */
type Lines = readonly string[];

/** Valid options only: what is refused, and last good rules, depend on the moments at which the edge looks. */
const tag = fc.oneof(
  fc.constantFrom(
    'haproxy',
    'weight=1',
    'weight=0',
    'haproxy_weight=256',
    'haproxy_maxconn=5',
    'haproxy_httpchk=/h',
    'haproxy_httpchk=HEAD /it',
  ),
  fc.constantFrom('roundrobin', 'leastconn', 'random', 'source', 'uri', 'first').map((balance) => `haproxy_balance=${balance}`),
  fc.constantFrom('/', '/a', '/a/b', '/a;b', "/it's", '/$(x)', '/-._~!&*+,=:@%2F', '/x//y').map((path) => `haproxy_route=${path}`),
  fc.constantFrom('v.test', '*.v.test', '*.test', 'w.test,*.a.v.test').map((host) => `haproxy_vhost=${host}`),
  fc.constantFrom(
    'haproxy_sticky',
    'haproxy_sticky=variant',
    'haproxy_backup',
    'haproxy_strip_prefix=/a',
    'haproxy_allow=127.0.0.0/8',
    'haproxy_priority=3',
  ),
  fc.nat(2).map((i) => `tcp ${i}`),
);
const instance = fc.record({
  service: fc.constantFrom('a', 'A', 'b', 'web.api', '__proto__'),
  id: fc.constantFrom('1', '2', '3', 'a b;#"\'\\'),
  port: fc.constantFrom(9, 10),
  health: fc.constantFrom('passing' as const, 'passing' as const, 'warning' as const, 'critical' as const),
  tags: fc.array(tag, { maxLength: 4 }).map((tags) => ['haproxy', ...tags]),
});
/** A catalog as instances of the node `far`, an ID once: for Consul 1.8 two IDs that differ by case are one. */
const catalog = fc
  .uniqueArray(instance, { minLength: 1, maxLength: 8, selector: ({ service, id }) => `${service} ${id}` })
  .map((list) =>
    list.map((one) =>
      anInstance({ ...one, id: `${one.service === 'A' ? 'upper-a' : one.service}-${one.id}`, node: 'far', address: '127.0.0.1' }),
    ),
  );

/**
 * After any sequence of catalogs, of `runs` that are tried, a HAProxy and its files are what the plan says; and so is one that starts from the files.
 */
export async function holdsProperty(haproxy: string, runs: number): Promise<void> {
  const ports = await freePorts(3);
  await using world = await startEdgeWorld({ args: ['--haproxy', haproxy] });
  let before: readonly Instance[] = [];
  const step = async (wanted: readonly Instance[]) => {
    const now = wanted.map((one) => ({
      ...one,
      tags: one.tags.map((text) => text.replace(/^tcp (\d)$/, (_, i) => `haproxy_tcp=${ports[Number(i)]}`)),
    }));
    await write(world, before, now);
    before = now;
    const lines = linesOf(plan(now));
    await until(async () => equal(await runningLines(world), lines), 20_000, 'HAProxy is what the plan says').catch(async () => {
      expect(await runningLines(world)).toEqual(lines);
    });
    await until(async () => equal(await fileLines(world), lines), 5_000, 'so are the files').catch(async () => {
      expect(await fileLines(world)).toEqual(lines);
    });
  };

  await fc.assert(
    fc.asyncProperty(fc.array(catalog, { minLength: 2, maxLength: 4 }), async (sequence) => {
      for (const wanted of sequence) await step(wanted);
    }),
    { numRuns: runs, endOnFailure: true },
  );
  await step([
    anInstance({
      service: 'a',
      id: 'a-1',
      node: 'far',
      address: '127.0.0.1',
      port: 9,
      tags: ['haproxy', "haproxy_route=/it's", 'weight=7'],
    }),
  ]);

  const lines = await runningLines(world);
  world.edge.templater().signal('SIGKILL');
  await world.edge.templater().ended;
  process.kill(await world.edge.master(), 'SIGKILL');
  await until(async () => !(await runningLines(world).catch(() => undefined)), 5_000, 'HAProxy is gone');
  await using again = await startProgram(haproxy, ['-W', '-db', '-f', join(world.edge.runDir, 'haproxy.cfg')]);
  await until(() => runningLines(world), 5_000, `HAProxy is back: ${again.output()}`);
  expect(await runningLines(world)).toEqual(lines);
}

function plan(instances: readonly Instance[]): EdgePlan {
  return createPlanner()(aCatalog(instances), { ...POLICY, addedDomains: ['example.test'] }, new Map()).plan;
}

const equal = (a: Lines, b: Lines) => JSON.stringify(a) === JSON.stringify(b);

async function write(world: EdgeWorld, before: readonly Instance[], now: readonly Instance[]): Promise<void> {
  // New ones first: services that are all gone at once look like an outage, and would be held.
  for (const { health, ...one } of now) await register(world.consul, { ...one, health: health === 'maintenance' ? 'critical' : health });
  for (const { id, node, service } of before)
    if (!now.some((one) => one.id === id && one.service === service)) await deregister(world.consul, { id, node });
}

function linesOf({ groups, hosts, vhosts, paths, listeners }: EdgePlan): Lines {
  return [
    ...[...groups.values()].flatMap(({ key, instances }) => instances.map(({ name, weight }) => `server ${key}/${name} ${weight}`)),
    ...[...hosts].map(([host, group]) => `host ${host} ${group}`),
    ...[...vhostKeys(vhosts)].map(([rule, group]) => `virtual host ${rule} ${group}`),
    ...[...variantKeys(groups)].map(([key, value]) => `variant ${key} ${value}`),
    ...[...paths].map(([path, group]) => `path ${path}/ ${group}`),
    ...[...listeners].map(([port, group]) => `port ${port} ${group}`),
  ].sort();
}

async function runningLines(world: EdgeWorld): Promise<Lines> {
  const { runDir, ask } = world.edge;
  const map = async (kind: string, file: string) =>
    (await ask(`show map ${join(runDir, file)}`)).split('\n').flatMap((line) => (line === '' ? [] : [line.replace(/^\S+/, kind)]));
  const servers = (await ask('show servers state')).split('\n').map((line) => line.split(' '));
  const frontends = (await ask('show stat')).split('\n').map((line) => line.split(','));
  const open = frontends.flatMap(([name = '', kind]) => (kind === 'FRONTEND' && name.startsWith('toots:tcp:') ? [name.slice(10)] : []));
  return [
    ...servers.flatMap(([, group, , name, , , admin, weight]) => (admin === '0' ? [`server ${group}/${name} ${weight}`] : [])),
    ...(await map('host', 'hosts.map')),
    ...(await map('virtual host', 'vhosts.map')),
    ...(await map('variant', 'variants.map').then((lines) => lines.filter((line) => line.includes('/')))),
    ...(await map('path', 'paths.map')),
    ...portsOf(open, await readFile(join(runDir, 'haproxy.cfg'), 'utf8')),
  ].sort();
}

async function fileLines(world: EdgeWorld): Promise<Lines> {
  const read = (file: string) => readFile(join(world.edge.runDir, file), 'utf8');
  const config = await read('haproxy.cfg');
  const sections = config.split(/^backend (\S+) from .*$/m);
  const servers = sections.flatMap((group, i) =>
    i % 2 === 0
      ? []
      : [...(sections[i + 1] ?? '').matchAll(/^ +server (\S+) \S+ weight (\d+)/gm)].map(
          ([, name, weight]) => `server ${group}/${name} ${weight}`,
        ),
  );
  const map = async (kind: string, file: string) =>
    (await read(file)).split('\n').flatMap((line) => (line === '' ? [] : [`${kind} ${line}`]));
  const open = [...config.matchAll(/^frontend toots:tcp:(\d+)/gm)].map(([, port = '']) => port);
  return [
    ...servers,
    ...(await map('host', 'hosts.map')),
    ...(await map('virtual host', 'vhosts.map')),
    ...(await map('variant', 'variants.map')),
    ...(await map('path', 'paths.map')),
    ...portsOf(open, config),
  ].sort();
}

/** Where open ports lead to is only in the configuration. */
function portsOf(open: readonly string[], config: string): Lines {
  return open.map((port) => `port ${port} ${new RegExp(`^frontend toots:tcp:${port} [^]*?default_backend (\\S+)`, 'm').exec(config)?.[1]}`);
}
