import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type EdgeWorld, startEdgeWorld } from '../harness/edge-world.ts';
import { freePort } from '../harness/free-port.ts';
import { HAPROXY_VERSIONS, haproxyOf } from '../harness/haproxy-version.ts';
import { startLoad } from '../harness/load.ts';
import { openTalk } from '../harness/talk.ts';
import { until } from '../harness/until.ts';
import { holdsProperty } from './edge-property/property.ts';

jest.setTimeout(120_000);

/** Whatever else HAProxy's versions do alike is tried by the other suites on the one of this Debian, or of TOOTS_HAPROXY. */
describe.each(HAPROXY_VERSIONS)('HAProxy %s', (version) => {
  let haproxy: string;
  let world: EdgeWorld;

  beforeAll(async () => {
    haproxy = await haproxyOf(version);
    world = await startEdgeWorld({ args: ['--haproxy', haproxy] });
    await world.serve('web', 'stays', ['haproxy']);
    await world.isAnswered('web.service', 'web/stays');
  }, 600_000);

  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  /** Another one after a reload. */
  const worker = () => world.edge.worker();
  const load = () => startLoad({ address: world.edge.bind, port: world.edge.ports.http, host: 'web.service', clients: 4, pauseMs: 2 });

  test('instances come, change and go without a reload and without a lost request', async () => {
    const before = await worker();
    await using under = load();
    const one = await world.serve('web', 'x', ['haproxy', 'weight=100', 'haproxy_maxconn=7']);
    await until(() => under.report().byInstance['x'], 15_000, 'it is asked');
    await world.change(one, { tags: ['haproxy', 'weight=0'] });
    await until(async () => / web-x_\S+ \S+ 2 0 0 /.test(await world.edge.ask('show servers state web')), 15_000, 'its weight is changed');
    await world.withdraw(one);
    await until(async () => !(await world.edge.ask('show servers state web')).includes('web-x_'), 15_000, 'it is gone');

    expect(await worker()).toBe(before);
    expect((await under.stop()).failures).toEqual({});
  });

  test('a new service is served, without a reload where HAProxy takes backends, and leaves nothing there', async () => {
    const before = await worker();
    await using under = load();
    const one = await world.serve('fresh', 'a', ['haproxy', 'haproxy_route=/fresh', 'haproxy_balance=leastconn']);
    await world.isAnswered('fresh.service', 'fresh/a');
    expect(await world.who('any.invalid', '/fresh/x')).toBe('fresh/a');

    expect((await worker()) === before).toBe(version === '3.4');
    expect((await under.stop()).failures).toEqual({});
    await world.withdraw(one);
    await world.isAnswered('fresh.service', '503');
    if (version === '3.4')
      await until(async () => !(await world.edge.ask('show backend')).includes('fresh'), 15_000, 'its backend is gone');
  });

  test('a templater that was killed takes what HAProxy was told at run time for what it is', async () => {
    await world.serve('kept', 'a', ['haproxy', 'haproxy_balance=source']);
    await world.isAnswered('kept.service', 'kept/a');
    const before = await worker();

    world.edge.templater().signal('SIGKILL');
    await world.edge.templater().ended;
    await world.edge.start();
    await until(() => world.edge.status(), 15_000, 'it is back');
    await world.serve('kept', 'b', ['haproxy', 'haproxy_balance=source']);
    await until(async () => (await world.edge.ask('show servers state kept')).includes('kept-b_'), 15_000, 'it is followed');

    expect(await worker()).toBe(before);
    expect(await world.edge.metric('toots_edge_drift_total')).toBe(0);
  });

  test('a TCP port and options of a service are reloads that lose nothing', async () => {
    const port = await freePort();
    await using under = load();
    await world.serve('db', 'a', [`haproxy_tcp=${port}`], { kind: 'tcp' });
    const talk = await until(() => openTalk({ address: world.edge.bind, port }), 15_000, 'the port opens');
    expect(await talk.who()).toBe('db/a');
    await world.serve('app', 'a', [
      'haproxy',
      'haproxy_vhost=*.app.test',
      'haproxy_route=/v1',
      'haproxy_strip_prefix=/v1',
      'haproxy_httpchk=GET /',
    ]);
    await until(async () => (await world.who('eu.app.test', '/v1/x')) === 'app/a', 15_000, 'its host and path are served');
    await world.serve('closed', 'a', ['haproxy', 'haproxy_allow=192.0.2.0/24']);
    await world.isAnswered('closed.service', '403');

    expect((await under.stop()).failures).toEqual({});
    expect(await talk.who()).toBe('db/a');
    talk.close();
  });

  test('after any sequence of catalogs it is what the plan says, and so is one that starts from the files', async () => {
    await holdsProperty(haproxy, 3);
  });
});
