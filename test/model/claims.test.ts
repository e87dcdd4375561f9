import { expect, test } from '@jest/globals';
import { type Claim, type Claims, settleClaims } from '../../model/claims.ts';
import { type PathPrefix, pathPrefix } from '../../model/path-prefix.ts';

const none: Claims = { hosts: [], vhosts: [], paths: [], ports: [] };
const claim = <Wanted>(service: string, wanted: Wanted, priority = 0): Claim<Wanted> => ({ service, priority, wanted });
const path = (service: string, wanted: string): Claim<PathPrefix> => claim(service, pathPrefix(wanted));

test('the first in byte order owns a host, a path and a port; one problem for each that the other lost names both', () => {
  const { rules, problems } = settleClaims(
    {
      ...none,
      hosts: [
        claim('Web', 'web.service'),
        claim('Web', 'web.service.consul'),
        claim('web', 'web.service'),
        claim('web', 'web.service.consul'),
      ],
      paths: [path('Web', '/'), path('web', '/')],
      ports: [claim('Web', 9), claim('web', 9)],
    },
    new Map(),
  );

  expect([...rules.hosts, ...rules.paths, ...rules.listeners]).toEqual([
    ['web.service', 'Web'],
    ['web.service.consul', 'Web'],
    ['', 'Web'],
    [9, 'tcp:Web'],
  ]);
  expect(problems).toMatchObject([
    { subject: 'web', option: 'host', value: 'web.service, web.service.consul', related: ['Web'] },
    { subject: 'web', option: 'haproxy_route', value: '/', related: ['Web'] },
    { subject: 'web', option: 'haproxy_tcp', value: '9', related: ['Web'] },
  ]);
  for (const { reason } of problems) expect(reason).toMatch(/^Web claims the same .* change one of the two$/);
});

test('of two priorities the claims come in the order of, the owner is the higher, and the problem says so', () => {
  const { rules, problems } = settleClaims({ ...none, hosts: [claim('z', 'app.test', 5), claim('a', 'app.test')] }, new Map());

  expect([...rules.hosts]).toEqual([['app.test', 'z']]);
  expect(problems).toMatchObject([
    { subject: 'a', option: 'host', related: ['z'], reason: expect.stringContaining('has the higher haproxy_priority') },
  ]);
});

test('a service does not lose to itself', () => {
  const { rules, problems } = settleClaims({ ...none, hosts: [claim('a', 'a.consul'), claim('a', 'a.consul')] }, new Map());

  expect([...rules.hosts]).toEqual([['a.consul', 'a']]);
  expect(problems).toEqual([]);
});

test('a port that cannot be had is refused alone, to everybody who wants it, with the reason', () => {
  const { rules, problems } = settleClaims(
    { ...none, ports: [claim('a', 80), claim('b', 80), claim('b', 9)] },
    new Map([[80, 'it is ours']]),
  );

  expect([...rules.listeners]).toEqual([[9, 'tcp:b']]);
  expect(problems).toEqual([
    { subject: 'a', option: 'haproxy_tcp', value: '80', reason: 'it is ours' },
    { subject: 'b', option: 'haproxy_tcp', value: '80', reason: 'it is ours' },
  ]);
});

test('what is lost to different owners is a problem for each', () => {
  const { problems } = settleClaims({ ...none, paths: [path('a', '/a'), path('b', '/b'), path('c', '/b'), path('c', '/a')] }, new Map());

  expect(problems).toMatchObject([
    { subject: 'c', value: '/b', related: ['b'] },
    { subject: 'c', value: '/a', related: ['a'] },
  ]);
});
