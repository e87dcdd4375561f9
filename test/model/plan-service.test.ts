import { expect, test } from '@jest/globals';
import { type PlannedService, planService, type ServiceInputs } from '../../model/plan-service.ts';
import { anInstance, tagged } from './a-catalog.ts';

function plan(inputs: Partial<ServiceInputs>): PlannedService {
  return planService({ service: 'web', instances: [], keys: {}, resolved: new Map(), lastGood: undefined, ...inputs });
}

const good = plan({ instances: tagged(['haproxy', 'haproxy_route=/works', 'haproxy_balance=source']) });

test('a value that does not parse leaves the service its last good rules as a whole', () => {
  const broken = plan({ instances: tagged(['haproxy', 'haproxy_route=/bro ken', 'haproxy_tcp=9']), lastGood: good.lastGood });

  expect(broken.claims).toEqual(good.claims);
  expect(broken.groups.map(({ balance }) => balance)).toEqual(['source']);
  expect(broken.lastGood).toEqual(good.lastGood);
  expect(broken.problems).toMatchObject([{ subject: 'web', option: 'haproxy_route', value: '/bro ken' }]);
});

test('while it has them its instances, their weights and limits are still followed', () => {
  const instances = tagged(['haproxy', 'haproxy_balance=best', 'weight=7', 'haproxy_maxconn=8'], ['haproxy']);

  const broken = plan({ instances, lastGood: good.lastGood });

  expect(broken.groups).toMatchObject([
    {
      balance: 'source',
      instances: [
        { address: '10.0.0.1', weight: 7, maxConnections: 8 },
        { address: '10.0.0.2', weight: 100, maxConnections: 128 },
      ],
    },
  ]);
});

test('a service that never had good rules is served without the bad value', () => {
  const { claims, lastGood } = plan({ instances: tagged(['haproxy', 'haproxy_route=/a', 'haproxy_route=b']) });

  expect(claims).toMatchObject({ http: true, routes: ['/a'] });
  expect(lastGood).toBeUndefined();
});

test('a limit that does not parse opens a service to nobody; one with last good rules keeps their limit', () => {
  const never = plan({ instances: tagged(['haproxy', 'haproxy_allow=10.0.0.0/33', 'haproxy_auth=bob:secret']) });
  const limited = plan({ instances: tagged(['haproxy', 'haproxy_allow=10.0.0.0/8']) });
  const broken = plan({ instances: tagged(['haproxy', 'haproxy_allow=all']), lastGood: limited.lastGood });

  expect(never.groups).toMatchObject([{ users: [], networks: [] }]);
  expect(broken.groups).toMatchObject([{ networks: ['10.0.0.0/8'] }]);
});

test('good rules follow the tags, and are the next to fall back on', () => {
  const next = plan({ instances: tagged(['haproxy_tcp=9']), lastGood: good.lastGood });

  expect(next.claims).toMatchObject({ http: false, routes: [], ports: [9] });
  expect(next.lastGood).toMatchObject({ http: false, routes: [], ports: [9] });
});

test('a service of both kinds has a group of each, of the same instances', () => {
  const { groups } = plan({ instances: tagged(['haproxy', 'haproxy_tcp=9', 'weight=3']) });

  expect(groups.map(({ key, mode, instances }) => [key, mode, instances.map(({ weight }) => weight)])).toEqual([
    ['web', 'http', [3]],
    ['tcp:web', 'tcp', [3]],
  ]);
});

test.each(['python', 'Billing', 'web.api', 'my_service-2', '__proto__', 'constructor', 'x'.repeat(63), '1'])(
  'a service called %j is served',
  (service) => {
    const { groups, problems } = plan({ service, instances: [anInstance({ service })] });

    expect(groups).toHaveLength(1);
    expect(problems).toEqual([]);
  },
);

test.each(['', 'a b', 'a..b', '.a', 'a.', 'a/b', 'a:b', 'ä', 'x'.repeat(64), 'a\n  server evil 127.0.0.1:1', `${'abcdefg.'.repeat(32)}x`])(
  'a service called %j is not, and is a problem',
  (service) => {
    const { groups, claims, problems } = plan({ service, instances: [anInstance({ service })] });

    expect(groups).toEqual([]);
    expect(claims).toBeUndefined();
    expect(problems).toMatchObject([{ option: 'name', reason: expect.stringContaining('rename it') }]);
  },
);

test('a service that is not for the edge may be called anything', () => {
  expect(plan({ service: 'a b', instances: tagged(['http']) })).toEqual({ groups: [], problems: [], hostNames: [] });
});
