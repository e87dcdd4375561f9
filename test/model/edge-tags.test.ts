import { expect, test } from '@jest/globals';
import { concernsEdge, isForEdge, shownTag, unknownTags, valuesOfTag } from '../../model/edge-tags.ts';

const SHA256 = '$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA';

test.each<[tags: string[], forEdge: boolean]>([
  [['haproxy'], true],
  [['webapp'], true],
  [['haproxy_route=/p'], true],
  [['haproxy_route=no path'], true],
  [['haproxy_route'], true],
  [['haproxy_tcp=5432'], true],
  [['haproxy_tcp=none'], true],
  [[], false],
  [['Haproxy', 'HAPROXY'], false],
  [['haproxy=1'], false],
  [['haproxy_vhost=a.test'], true],
  [['haproxy_routes=/p', 'haproxy_tcp2=1'], false],
  [['haproxy_allow=::1', 'haproxy_auth=a:b', 'haproxy_strip_prefix=/a', 'haproxy_sticky', 'haproxy_priority=1', 'haproxy_backup'], false],
  [['weight=1', 'haproxy_weight=1', 'haproxy_balance=first', 'haproxy_maxconn=1', 'haproxy_httpchk=/'], false],
  [['http', 'urlprefix-/x', 'traefik.enable=true'], false],
])('tags %j: a service for the edge: %j', (tags, forEdge) => {
  expect(isForEdge(tags)).toBe(forEdge);
});

test.each<[tag: string, unknown: string]>([
  ['haproxy', ''],
  ['webapp', ''],
  ['haproxy_weight=x', ''],
  ['weight=x', ''],
  ['http', ''],
  ['haproxyish', ''],
  ['haproxy-2.6', ''],
  ['haproxy=1', 'haproxy= haproxy'],
  ['HAProxy', 'HAProxy haproxy'],
  [' haproxy', ' haproxy haproxy'],
  ['haproxy ', 'haproxy  haproxy'],
  ['haproxy_route = /x', 'haproxy_route  haproxy_route'],
  ['haproxy is fine', 'haproxy  haproxy'],
  ['haproxy_rout=/x', 'haproxy_rout haproxy_route'],
  ['haproxy_auht=bob:secret', 'haproxy_auht haproxy_auth'],
  ['haproxy_auth:bob:secret', 'haproxy_auth haproxy_auth'],
  ['HAPROXY_0_BACKEND_WEIGHT=5', 'HAPROXY_0_BACKEND_WEIGHT haproxy_weight'],
])('of the tag %s the edge does not know: %s', (tag, unknown) => {
  expect(unknownTags([tag, tag]).map(({ name, nearest }) => `${name} ${nearest}`)).toEqual(unknown === '' ? [] : [unknown]);
  expect(unknown === '' || concernsEdge([tag])).toBe(true);
});

test('a secret is not shown, under whatever name it comes', () => {
  expect(
    [
      'haproxy_auth=bob:secret',
      `haproxy_aut=bob:${SHA256}`,
      'haproxy_auth:bob:secret',
      ' haproxy_auth=bob:secret',
      'haproxy_auth = bob:secret',
      'haproxy_route=/x',
    ].map(shownTag),
  ).toEqual([
    'haproxy_auth=(not shown)',
    'haproxy_aut=(not shown)',
    'haproxy_auth=(not shown)',
    ' haproxy_auth=(not shown)',
    'haproxy_auth=(not shown)',
    'haproxy_route=/x',
  ]);
});

test.each<[tags: string[], spelling: string, values: string[]]>([
  [['haproxy_route=/a', 'haproxy', 'haproxy_route=/b'], 'haproxy_route', ['/a', '/b']],
  [['haproxy_route'], 'haproxy_route', ['']],
  [['haproxy_route='], 'haproxy_route', ['']],
  [['haproxy_route=/a=b'], 'haproxy_route', ['/a=b']],
  [['haproxy_router=/a', 'xhaproxy_route=/a'], 'haproxy_route', []],
])('of the tags %j, %s has the values %j', (tags, spelling, values) => {
  expect(valuesOfTag(tags, spelling)).toEqual(values);
});
