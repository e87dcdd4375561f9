import { expect, test } from '@jest/globals';
import { EDGE_OPTIONS, isForEdge, valuesOfTag } from '../../model/edge-options.ts';

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
  [['haproxy_routes=/p', 'haproxy_tcp2=1'], false],
  [['weight=1', 'haproxy_weight=1', 'haproxy_balance=first', 'haproxy_maxconn=1', 'haproxy_httpchk=/'], false],
  [['http', 'urlprefix-/x', 'traefik.enable=true'], false],
])('tags %j: a service for the edge: %j', (tags, forEdge) => {
  expect(isForEdge(tags)).toBe(forEdge);
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
