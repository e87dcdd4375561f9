import { expect, test } from '@jest/globals';
import { readInstanceOptions, readRules, type ServiceRules } from '../../model/service-rules.ts';
import { anInstance, tagged } from './a-catalog.ts';

const NOTHING: ServiceRules = { http: false, routes: [], ports: [], balance: 'roundrobin', check: undefined, redirect: undefined };

/** `option=value` of each problem. */
type Row = [title: string, tags: string[][], rules: Partial<Record<keyof ServiceRules, unknown>>, problems: string[]];

test.each<Row>([
  ['haproxy gives the hosts', [['haproxy']], { http: true }, []],
  ['webapp is an alias', [['webapp']], { http: true }, []],
  ['haproxy_redirect=https', [['haproxy', 'haproxy_redirect=https']], { http: true, redirect: 'https' }, []],
  ['a redirect to anywhere else is refused', [['haproxy', 'haproxy_redirect=http://x']], { http: true }, ['haproxy_redirect=http://x']],
  ['a route implies HTTP', [['haproxy_route=/p']], { http: true, routes: ['/p'] }, []],
  ['even one that does not parse', [['haproxy_route=p']], { http: true }, ['haproxy_route=p']],
  ['a TCP port alone does not', [['haproxy_tcp=5432']], { ports: [5432] }, []],
  [
    'several routes and ports, sorted, each once',
    [['haproxy_route=/b', 'haproxy_tcp=9', 'haproxy_route=/a', 'haproxy_route=/b/', 'haproxy_tcp=8', 'haproxy_tcp=9']],
    { http: true, routes: ['/a', '/b'], ports: [8, 9] },
    [],
  ],
  [
    'the union over instances, whichever comes first',
    [['weight=1'], ['haproxy', 'haproxy_route=/media'], ['haproxy_tcp=9']],
    { http: true, routes: ['/media'], ports: [9] },
    [],
  ],
  [
    'a value that is refused costs that value alone, of a service without good rules',
    [['haproxy', 'haproxy_route=/ok', 'haproxy_route=no', 'haproxy_tcp=70000', 'haproxy_balance=best', 'haproxy_httpchk=no']],
    { http: true, routes: ['/ok'] },
    ['haproxy_route=no', 'haproxy_tcp=70000', 'haproxy_balance=best', 'haproxy_httpchk=no'],
  ],
  [
    'the first balance in byte order counts, and a difference is a problem',
    [['haproxy', 'haproxy_balance=source'], ['haproxy_balance=leastconn']],
    { http: true, balance: 'leastconn' },
    ['haproxy_balance=leastconn | source'],
  ],
  [
    'so with the check',
    [['haproxy', 'haproxy_httpchk=HEAD /b'], ['haproxy_httpchk=GET /b']],
    { http: true, check: { method: 'GET', path: '/b' } },
    ['haproxy_httpchk=GET /b | HEAD /b'],
  ],
  [
    'equal values of several instances are no difference',
    [
      ['haproxy', 'haproxy_balance=source'],
      ['haproxy', 'haproxy_balance=source'],
    ],
    { http: true, balance: 'source' },
    [],
  ],
  [
    'options of a service that is not for the edge are nobody’s business',
    [['haproxy_balance=best', 'weight=999', 'haproxy_httpchk=no']],
    {},
    [],
  ],
  ['unknown tags are no problem', [['haproxy', 'http', 'route_domain', 'haproxy_future=1', '']], { http: true }, []],
])('%s', (_, tags, rules, problems) => {
  const read = readRules('web', tagged(...tags));

  expect(read.rules).toEqual({ ...NOTHING, ...rules });
  expect(read.problems.map(({ option, value }) => `${option}=${value}`)).toEqual(problems);
});

test.each<[tags: string[], good: boolean]>([
  [['haproxy', 'haproxy_route=/p', 'haproxy_tcp=1', 'haproxy_balance=first', 'haproxy_httpchk=/'], true],
  [['haproxy', 'weight=abc', 'weight=300', 'haproxy_maxconn=many'], true],
  [['haproxy', 'haproxy_route=p'], false],
  [['haproxy', 'haproxy_route'], false],
  [['haproxy', 'haproxy_tcp=0'], false],
  [['haproxy', 'haproxy_balance=best'], false],
  [['haproxy', 'haproxy_httpchk=x'], false],
])('the rules of %j are good: %j', (tags, good) => {
  expect(readRules('web', tagged(tags)).good).toBe(good);
});

type OptionsRow = [title: string, tags: string[], key: string | undefined, options: string, problems: string[]];

test.each<OptionsRow>([
  ['nothing said: 100, and 128 connections', [], undefined, '100 128', []],
  ['weight', ['weight=5'], undefined, '5 128', []],
  ['haproxy_weight is the same', ['haproxy_weight=5'], undefined, '5 128', []],
  ['haproxy_weight beats weight, and the difference is a problem', ['weight=5', 'haproxy_weight=6'], undefined, '6 128', ['weight=6 | 5']],
  ['the first of one tag counts', ['weight=5', 'weight=6'], undefined, '5 128', ['weight=5 | 6']],
  ['said twice alike is no problem', ['weight=5', 'haproxy_weight=5'], undefined, '5 128', []],
  ['a weight out of range is clamped', ['weight=300'], undefined, '256 128', ['weight=300']],
  ['below it too', ['weight=-1'], undefined, '0 128', ['weight=-1']],
  ['one that is no number is ignored', ['weight=abc'], undefined, '100 128', ['weight=abc']],
  ['then the other spelling counts', ['haproxy_weight=abc', 'weight=5'], undefined, '5 128', ['weight=abc | 5', 'weight=abc']],
  ['haproxy_maxconn', ['haproxy_maxconn=7'], undefined, '100 7', []],
  ['-5 is clamped to 1', ['haproxy_maxconn=-5'], undefined, '100 1', ['haproxy_maxconn=-5']],
  ['the key beats the tag', ['haproxy_maxconn=7'], '9', '100 9', []],
  ['with its line end', [], '9\n', '100 9', []],
  ['a bad key leaves the tag', ['haproxy_maxconn=7'], 'lots', '100 7', ['haproxy_maxconn=lots']],
  ['a bad tag the default', ['haproxy_maxconn=lots'], undefined, '100 128', ['haproxy_maxconn=lots']],
  ['a bad key and a bad tag the default', ['haproxy_maxconn=x'], '', '100 128', ['haproxy_maxconn=', 'haproxy_maxconn=x']],
])('an instance’s own options: %s', (_, tags, key, options, problems) => {
  const read = readInstanceOptions(anInstance({ tags }), key);

  expect(`${read.options.weight} ${read.options.maxConnections}`).toBe(options);
  expect(read.problems.map(({ option, value }) => `${option}=${value}`)).toEqual(problems);
});

test('a problem names its service, shows the value as far as it can be shown, and says what would be right', () => {
  const { problems } = readRules('web', tagged(['haproxy', `haproxy_route=/a\n${'x'.repeat(10_000)}`, 'haproxy_tcp=70000']));

  expect(problems).toEqual([
    {
      subject: 'web',
      option: 'haproxy_route',
      value: `/a\\n${'x'.repeat(196)}… (10003 characters)`,
      reason: expect.stringContaining('at most 1024'),
    },
    { subject: 'web', option: 'haproxy_tcp', value: '70000', reason: 'a TCP port is a whole number from 1 to 65535' },
  ]);
});
