import { expect, test } from '@jest/globals';
import { concernsEdge, EDGE_OPTIONS, isForEdge, shownTag, unknownTags, valuesOfTag } from '../../model/edge-options.ts';

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
  ['haproxy_rout=/x', 'haproxy_rout haproxy_route'],
  ['haproxy_auht=bob:secret', 'haproxy_auht haproxy_auth'],
  ['haproxy_auth:bob:secret', 'haproxy_auth haproxy_auth'],
  ['HAPROXY_0_BACKEND_WEIGHT=5', 'HAPROXY_0_BACKEND_WEIGHT haproxy_weight'],
])('of the tag %s the edge does not know: %s', (tag, unknown) => {
  expect(unknownTags([tag, tag]).map(({ name, nearest }) => `${name} ${nearest}`)).toEqual(unknown === '' ? [] : [unknown]);
  expect(unknown === '' || concernsEdge([tag])).toBe(true);
});

test('a secret is not shown, under whatever name it comes', () => {
  expect(['haproxy_auth=bob:secret', `haproxy_aut=bob:${SHA256}`, 'haproxy_auth:bob:secret', 'haproxy_route=/x'].map(shownTag)).toEqual([
    'haproxy_auth=(not shown)',
    'haproxy_aut=(not shown)',
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

const SHA256 = '$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA';

/** What an option makes of texts: a value, `→ value` where it was clamped, `refused`. */
type Row = [option: keyof typeof EDGE_OPTIONS, texts: Record<string, unknown>];

test.each<Row>([
  [
    'route',
    {
      '/p': '/p',
      '/p/': '/p',
      '/': '',
      '//': '/',
      '/p//q': '/p//q',
      '/P': '/P',
      "/-._~!$&'()*+,;=:@%2f%C3": "/-._~!$&'()*+,;=:@%2f%C3",
      [`/${'x'.repeat(1_023)}`]: `/${'x'.repeat(1_023)}`,
      [`/${'x'.repeat(1_024)}`]: 'refused',
      '': 'refused',
      p: 'refused',
      'p/q': 'refused',
      ' /p': 'refused',
      '/p?x=1': 'refused',
      '/p#x': 'refused',
      '/a b': 'refused',
      '/a\tb': 'refused',
      '/a\n': 'refused',
      '/a\n  server evil 127.0.0.1:1': 'refused',
      '/a"b': 'refused',
      '/a\\b': 'refused',
      '/{{ x }}': 'refused',
      '/`id`': 'refused',
      '/%': 'refused',
      '/%[env(HOME)]': 'refused',
      '/ä': 'refused',
    },
  ],
  [
    'tcp',
    {
      '1': 1,
      '5432': 5432,
      '65535': 65_535,
      '05432': 5432,
      '0': 'refused',
      '65536': 'refused',
      '70000': 'refused',
      '-1': 'refused',
      '80.5': 'refused',
      '1e3': 'refused',
      '0x50': 'refused',
      ' 80': 'refused',
      '80\n': 'refused',
      abc: 'refused',
      '': 'refused',
    },
  ],
  [
    'balance',
    {
      roundrobin: 'roundrobin',
      leastconn: 'leastconn',
      random: 'random',
      source: 'source',
      uri: 'uri',
      first: 'first',
      'static-rr': 'refused',
      'hdr(host)': 'refused',
      Roundrobin: 'refused',
      'roundrobin\n': 'refused',
      '%[rand]': 'refused',
      '': 'refused',
    },
  ],
  [
    'check',
    {
      '/health': { method: 'GET', path: '/health' },
      'GET /health': { method: 'GET', path: '/health' },
      'HEAD /': { method: 'HEAD', path: '/' },
      'OPTIONS /x?deep=1': { method: 'OPTIONS', path: '/x?deep=1' },
      'POST /health': 'refused',
      'get /health': 'refused',
      'GET  /health': 'refused',
      'GET /health HTTP/1.0': 'refused',
      'GET /x\r\nX-Evil: 1': 'refused',
      'GET /x\n': 'refused',
      'GET /$(id) ': 'refused',
      'GET /x#y': 'refused',
      'GET /x?y?z': 'refused',
      GET: 'refused',
      health: 'refused',
      '': 'refused',
    },
  ],
  [
    'vhost',
    {
      'app.example.com': 'app.example.com',
      'App.Example.COM': 'app.example.com',
      '*.example.org': '*.example.org',
      '*.org': '*.org',
      '*.a.b.c.d.e.f.g.h': '*.a.b.c.d.e.f.g.h',
      '*.a.b.c.d.e.f.g.h.i': 'refused',
      'my_app-2.test': 'my_app-2.test',
      '*': 'refused',
      '*.': 'refused',
      '**.org': 'refused',
      '*example.org': 'refused',
      'a.*.org': 'refused',
      '.example.org': 'refused',
      'example.org.': 'refused',
      'example.org:80': 'refused',
      'example.org/x': 'refused',
      'https://example.org': 'refused',
      'ä.test': 'refused',
      'a b': 'refused',
      'a\n': 'refused',
      '%[src]': 'refused',
      '': 'refused',
    },
  ],
  ['strip', { '/a': '/a', '/a/': '/a', '//': '/', '/': 'refused', a: 'refused', '/a b': 'refused', '/a?b': 'refused', '': 'refused' }],
  [
    'user',
    {
      [`bob:${SHA256}`]: { name: 'bob', hash: SHA256 },
      [`bob@x.test:${SHA256.replace('$salt', '$rounds=10000$salt')}`]: {
        name: 'bob@x.test',
        hash: SHA256.replace('$salt', '$rounds=10000$salt'),
      },
      [`bob:$2b$08$${'x'.repeat(53)}`]: { name: 'bob', hash: `$2b$08$${'x'.repeat(53)}` },
      [`bob:${SHA256.replace('$salt', '$rounds=10001$salt')}`]: 'refused',
      [`bob:$2b$09$${'x'.repeat(53)}`]: 'refused',
      [`bob:${SHA256}x`]: 'refused',
      [`bob:${SHA256.slice(0, -1)}`]: 'refused',
      [`bob:${SHA256.replace('$5', '$6')}`]: 'refused',
      [`bob:${SHA256} groups admin`]: 'refused',
      [`bob:${SHA256}\n`]: 'refused',
      [`bob eve:${SHA256}`]: 'refused',
      [`:${SHA256}`]: 'refused',
      'bob:secret': 'refused',
      'bob:$1$salt$qJH7.N4xYta3aEG/dfqo/0': 'refused',
      'bob:$5$salt$': 'refused',
      'bob:': 'refused',
      bob: 'refused',
      '': 'refused',
    },
  ],
  [
    'network',
    {
      '10.0.0.0/8': '10.0.0.0/8',
      '10.1.2.3': '10.1.2.3/32',
      '0.0.0.0/0': '0.0.0.0/0',
      '2001:db8::/32': '2001:db8::/32',
      '::1': '::1/128',
      '::/0': '::/0',
      '10.0.0.0/33': 'refused',
      '::/129': 'refused',
      '10.0.0.0/08': 'refused',
      '10.0.0.0/': 'refused',
      '10.0.0.0/8/8': 'refused',
      '10.0.0.0/255.0.0.0': 'refused',
      '10.0.0/8': 'refused',
      '010.0.0.1': 'refused',
      '[::1]': 'refused',
      'fe80::1%eth0': 'refused',
      localhost: 'refused',
      all: 'refused',
      ' 10.0.0.1': 'refused',
      '-f /etc/passwd': 'refused',
      '': 'refused',
    },
  ],
  ['redirect', { https: 'https', http: 'refused', 'https://x': 'refused', '': 'refused' }],
  ['sticky', { '': 'instance', true: 'instance', variant: 'variant', false: undefined, yes: 'refused', 'true ': 'refused' }],
  ['priority', { '0': 0, '-1000': -1000, '+7': 7, '1001': '→ 1000', '-9999': '→ -1000', high: 'refused', '1.5': 'refused', '': 'refused' }],
  ['backup', { '': true, true: true, false: false, '1': 'refused', TRUE: 'refused' }],
  [
    'weight',
    {
      '0': 0,
      '1': 1,
      '100': 100,
      '256': 256,
      '+7': 7,
      '257': '→ 256',
      '300': '→ 256',
      [`9${'9'.repeat(400)}`]: '→ 256',
      '-1': '→ 0',
      abc: 'refused',
      '1.5': 'refused',
      '10%': 'refused',
      '5 5': 'refused',
      '5\n': 'refused',
      '': 'refused',
    },
  ],
  [
    'maxConnections',
    { '1': 1, '65535': 65_535, '0': '→ 1', '-5': '→ 1', '65536': '→ 65535', many: 'refused', '1 maxqueue 1': 'refused', '': 'refused' },
  ],
])('the option %s takes, clamps and refuses', (option, texts) => {
  const { parse } = EDGE_OPTIONS[option];

  const said = Object.keys(texts).map((text) => [text, saidOf(parse(text))]);

  expect(Object.fromEntries(said)).toEqual(texts);
});

function saidOf(parsed: ReturnType<(typeof EDGE_OPTIONS)[keyof typeof EDGE_OPTIONS]['parse']>): unknown {
  if (parsed.kind === 'taken') return parsed.value;
  return parsed.kind === 'clamped' ? `→ ${parsed.value}` : 'refused';
}
