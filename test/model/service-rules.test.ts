import { expect, test } from '@jest/globals';
import { readInstanceOptions, readRules, type ServiceRules } from '../../model/service-rules.ts';
import { anInstance, tagged } from './a-catalog.ts';

const NOTHING: ServiceRules = {
  http: false,
  vhosts: [],
  routes: [],
  ports: [],
  balance: 'roundrobin',
  check: undefined,
  redirect: undefined,
  sticky: undefined,
  priority: 0,
  stripped: [],
  users: undefined,
  networks: undefined,
};
const BOB = '$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA';
const BOB2 = '$6$salt$egUxKNxDs8kPfh8iPMNcosMhb2eWah6d3R44JDm5Rj/j/XWR5E33QPd0YmHXoDHOIDR6kL5D3JcQcz0O8FHE00';

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
  ['tags of others are no problem', [['haproxy', 'http', 'route_domain', 'urlprefix-/x', 'haproxy-2.6', '']], { http: true }, []],
  [
    'a tag that the edge does not know is one, and does no harm',
    [['haproxy', 'haproxy_rout=/x', 'haproxy_future=1']],
    { http: true },
    ['haproxy_future=undefined', 'haproxy_rout=undefined'],
  ],
  ['even where nothing else is for the edge', [['haproxy_rout=/x', 'haproxy_balance=best']], {}, ['haproxy_rout=undefined']],
  [
    'a vhost implies HTTP; several, in one tag or more',
    [['haproxy_vhost=b.test, *.a.test ', 'haproxy_vhost=C.test']],
    { http: true, vhosts: ['*.a.test', 'b.test', 'c.test'] },
    [],
  ],
  [
    'a vhost that is none is refused, not those beside it',
    [['haproxy_vhost=b.test,b test']],
    { http: true, vhosts: ['b.test'] },
    ['haproxy_vhost=b test'],
  ],
  [
    'prefixes to strip, the longest first',
    [['haproxy', 'haproxy_strip_prefix=/a', 'haproxy_strip_prefix=/a/b/']],
    { http: true, stripped: ['/a/b', '/a'] },
    [],
  ],
  ['a cookie', [['haproxy', 'haproxy_sticky']], { http: true, sticky: 'instance' }, []],
  ['none', [['haproxy', 'haproxy_sticky=false']], { http: true }, []],
  ['a priority', [['haproxy', 'haproxy_priority=-7']], { http: true, priority: -7 }, []],
  ['a priority out of range is clamped', [['haproxy', 'haproxy_priority=1001']], { http: true, priority: 1000 }, ['haproxy_priority=1001']],
  [
    'networks of all instances',
    [['haproxy', 'haproxy_allow= 10.0.0.0/8 , ::1'], ['haproxy_allow=10.0.0.0/8']],
    { http: true, networks: ['10.0.0.0/8', '::1/128'] },
    [],
  ],
  [
    'a network that is none allows nobody',
    [['haproxy', 'haproxy_allow=10.0.0.0/33']],
    { http: true, networks: [] },
    ['haproxy_allow=10.0.0.0/33'],
  ],
  [
    'users, sorted by name; their hashes are in no problem',
    [['haproxy', `haproxy_auth=bob:${BOB}`, `haproxy_auth=al:${BOB2}`, 'haproxy_auth=eve:secret']],
    {
      http: true,
      users: [
        { name: 'al', hash: BOB2 },
        { name: 'bob', hash: BOB },
      ],
    },
    ['haproxy_auth=(not shown)'],
  ],
  [
    'a password that is no hash opens it to nobody',
    [['haproxy', 'haproxy_auth=eve:secret']],
    { http: true, users: [] },
    ['haproxy_auth=(not shown)'],
  ],
  [
    'of one name the first hash in byte order',
    [['haproxy', `haproxy_auth=al:${BOB2}`], [`haproxy_auth=al:${BOB}`]],
    { http: true, users: [{ name: 'al', hash: BOB }] },
    [],
  ],
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
  [['haproxy', 'haproxy_vhost='], false],
  [['haproxy', 'haproxy_strip_prefix=/'], false],
  [['haproxy', 'haproxy_auth=a:b'], false],
  [['haproxy', 'haproxy_allow'], false],
  [['haproxy', 'haproxy_sticky=maybe'], false],
  [['haproxy', 'haproxy_priority=first'], false],
  [['haproxy', 'haproxy_priority=9999'], true],
  [['haproxy', 'haproxy_backup=maybe', 'haproxy_rout=/x'], true],
])('the rules of %j are good: %j', (tags, good) => {
  expect(readRules('web', tagged(tags)).good).toBe(good);
});

type OptionsRow = [title: string, tags: string[], key: string | undefined, options: string, problems: string[]];

test.each<OptionsRow>([
  ['nothing said: 100, and 128 connections', [], undefined, '100 128', []],
  ['a backup', ['haproxy_backup'], undefined, '100 128 backup', []],
  ['so it says', ['haproxy_backup=true'], undefined, '100 128 backup', []],
  ['no backup', ['haproxy_backup=false'], undefined, '100 128', []],
  ['a backup that does not parse is none', ['haproxy_backup=yes'], undefined, '100 128', ['haproxy_backup=yes']],
  ['weight', ['weight=5'], undefined, '5 128', []],
  ['haproxy_weight is the same', ['haproxy_weight=5'], undefined, '5 128', []],
  [
    'haproxy_weight beats weight, and the difference is a problem',
    ['weight=5', 'haproxy_weight=6'],
    undefined,
    '6 128',
    ['haproxy_weight=6 | 5'],
  ],
  ['the first of one tag counts', ['weight=5', 'weight=6'], undefined, '5 128', ['weight=5 | 6']],
  ['said twice alike is no problem', ['weight=5', 'haproxy_weight=5'], undefined, '5 128', []],
  ['a weight out of range is clamped', ['weight=300'], undefined, '256 128', ['weight=300']],
  ['below it too', ['weight=-1'], undefined, '0 128', ['weight=-1']],
  ['one that is no number is ignored', ['weight=abc'], undefined, '100 128', ['weight=abc']],
  [
    'then the other spelling counts',
    ['haproxy_weight=abc', 'weight=5'],
    undefined,
    '5 128',
    ['haproxy_weight=abc | 5', 'haproxy_weight=abc'],
  ],
  ['haproxy_maxconn', ['haproxy_maxconn=7'], undefined, '100 7', []],
  ['-5 is clamped to 1', ['haproxy_maxconn=-5'], undefined, '100 1', ['haproxy_maxconn=-5']],
  ['the key beats the tag', ['haproxy_maxconn=7'], '9', '100 9', []],
  ['with its line end', [], '9\n', '100 9', []],
  ['a bad key leaves the tag', ['haproxy_maxconn=7'], 'lots', '100 7', ['haproxy/web/maxconn=lots']],
  ['a bad tag the default', ['haproxy_maxconn=lots'], undefined, '100 128', ['haproxy_maxconn=lots']],
  ['a bad key and a bad tag the default', ['haproxy_maxconn=x'], '', '100 128', ['haproxy/web/maxconn=', 'haproxy_maxconn=x']],
])('an instance’s own options: %s', (_, tags, key, options, problems) => {
  const read = readInstanceOptions(anInstance({ tags }), key);

  expect(`${read.options.weight} ${read.options.maxConnections}${read.options.backup ? ' backup' : ''}`).toBe(options);
  expect(read.problems.map(({ option, value }) => `${option}=${value}`)).toEqual(problems);
});

test('a key for the users beats the tags, and one of its lines that is no user leaves the others', () => {
  const read = readRules('web', tagged(['haproxy', `haproxy_auth=bob:${BOB}`]), `al:${BOB2}\n\neve:secret\n`);

  expect(read.rules.users).toEqual([{ name: 'al', hash: BOB2 }]);
  expect(read.good).toBe(false);
});

test('a key without a user lets nobody in, and is a problem', () => {
  const { rules, problems } = readRules('web', tagged(['haproxy']), ' \n');

  expect(rules.users).toEqual([]);
  expect(problems).toMatchObject([{ subject: 'web', option: 'haproxy_auth' }]);
});

test('a tag that the edge does not know is named with the nearest that it knows, never with its value', () => {
  const { problems } = readRules('web', tagged(['haproxy', 'haproxy_aut=bob:secret', 'HAPROXY_0_VHOST=x', 'haproxy=1']));

  expect(problems.map(({ option, reason }) => `${option} ${reason.split(' ').at(-1)}`)).toEqual([
    'HAPROXY_0_VHOST haproxy_vhost',
    'haproxy= haproxy',
    'haproxy_aut haproxy_auth',
  ]);
  expect(JSON.stringify(problems)).not.toContain('secret');
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
