import { describe, expect, test } from '@jest/globals';
import type { HealthEntry } from '../../../consul/health-entry.ts';
import { FUNCTIONS } from '../../../templater/template/functions/table.ts';
import type { Query } from '../../../templater/template/query.ts';
import { createStore, type Store } from '../../../templater/template/store.ts';
import { rendered } from './rendered.ts';

/** Answers by the names of queries, as Consul gives them. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  'service web': [
    entry('b', 'web-2', 'passing', ['v2']),
    entry('a', 'web-1', 'passing', ['Prod', 'v1']),
    entry('a', 'web-3', 'critical', []),
  ],
  'service web.v1': [entry('a', 'dotted', 'passing', [])],
  'service web@dc2': [entry('x', 'far', 'passing', [])],
  'service web?ns=blue': [],
  'connect web': [{ Node: { Node: 'a' }, Service: { ID: 'proxy', Service: 'web-sidecar', Address: '10.0.0.9', Port: 21000 }, Checks: [] }],
  services: new Map([
    ['web', ['b', 'a']],
    ['api', []],
  ]),
  'services@dc2': new Map([['far', []]]),
  'agent self': { Config: { NodeName: 'own' } },
  'node own': { Node: { Node: 'own', Address: '10.0.0.1' }, Services: { x: { ID: 'x', Service: 'web', Tags: ['b', 'a'], Port: 80 } } },
  'node gone': null,
  nodes: [
    { Node: 'b', Address: '10.0.0.2' },
    { Node: 'a', Address: '10.0.0.1' },
  ],
  datacenters: ['dc2', 'dc1'],
  caRoots: { Roots: [{ ID: '1', RootCert: 'PEM', Active: true }] },
  'caLeaf web': { CertPEM: 'CERT', PrivateKeyPEM: 'KEY' },
  'key a/b': { value: 'one' },
  'key a/b@dc2': { value: 'two' },
  'key empty': { value: '' },
  'key none': undefined,
  'tree app': [pair('app/x', '1'), pair('app/y/z', '2'), pair('app/y/', '')],
  'tree nothing': null,
  'file /etc/motd': 'hello',
};

function entry(node: string, id: string, status: HealthEntry['status'], tags: readonly string[]): HealthEntry {
  const checks = [{ id: 'c', name: 'check', node, status, notes: '', output: 'out', serviceId: id, serviceName: 'web', serviceTags: [] }];
  const place = { node, nodeId: 'n', nodeAddress: '10.0.0.1', datacenter: 'dc1', nodeTaggedAddresses: {}, nodeMeta: { rack: 'r1' } };
  return {
    ...place,
    id,
    name: 'web',
    tags,
    address: '10.0.0.1',
    port: 80,
    meta: {},
    taggedAddresses: {},
    weights: { passing: 5, warning: 1 },
    checks,
    status,
  };
}

function pair(Key: string, text: string): object {
  return { Key, Value: Buffer.from(text).toString('base64'), ModifyIndex: 7 };
}

const ROWS: Readonly<Record<string, readonly (readonly [template: string, text: string])[]>> = {
  service: [
    ['{% for i in service("web") %}{{ i.id }} {% endfor %}', 'web-1 web-2 '],
    ['{% for i in service("web|any") %}{{ i.id }}={{ i.status }} {% endfor %}', 'web-1=passing web-3=critical web-2=passing '],
    ['{% for i in service("web", "critical,warning") %}{{ i.id }} {% endfor %}', 'web-3 '],
    ['{% for i in service("prod.web") %}{{ i.id }} {{ i.weight }} {{ i.nodeMeta.rack }}{% endfor %}', 'web-1 5 r1'],
    ['{% for i in service("web", { tag: "v2" }) %}{{ i.id }}{% endfor %}', 'web-2'],
    ['{% for i in service("web", status=["critical"]) %}{{ i.id }} {{ i.checks[0].output }}{% endfor %}', 'web-3 out'],
    ['{% for i in service("web.v1", {}) %}{{ i.id }}{% endfor %}', 'dotted'],
    ['{% for i in service("web@dc2") %}{{ i.id }}{% endfor %}', 'far'],
    ['{{ service("web?ns=blue") | length }}', '0'],
  ],
  connect: [['{% for i in connect("web") %}{{ i.name }} {{ i.address }}:{{ i.port }}{% endfor %}', 'web-sidecar 10.0.0.9:21000']],
  services: [
    ['{% for s in services() %}{{ s.name }}:{{ s.tags | join(",") }} {% endfor %}', 'api: web:a,b '],
    ['{% for s in services("@dc2") %}{{ s.name }}{% endfor %}{% for s in services({ dc: "dc2" }) %}{{ s.name }}{% endfor %}', 'farfar'],
  ],
  node: [
    ['{% set n = node() %}{{ n.node.address }} {{ n.services[0].service }} {{ n.services[0].tags | join("") }}', '10.0.0.1 web ab'],
    ['{{ "there" if node("gone").node else "gone" }}', 'gone'],
  ],
  nodes: [['{% for n in nodes() %}{{ n.node }}{% endfor %}', 'ab']],
  datacenters: [['{{ datacenters() | join(" ") }}', 'dc1 dc2']],
  caRoots: [['{{ caRoots()[0].rootCertPEM }}', 'PEM']],
  caLeaf: [['{{ caLeaf("web").certPEM }} {{ caLeaf("web").privateKeyPEM }}', 'CERT KEY']],
  key: [
    ['{{ key("/a/b", {}) }} {{ key("a//b") }} {{ key("//a///b", {}) }}', 'one one one'],
    ['{{ key("a/b") }} {{ key("/a/b") }} {{ key("a/b@dc2") }} {{ key("a/b", { dc: "dc2" }) }}', 'one one two two'],
    ['{{ key("none", "x") }} {{ key("a/b", "x") }} {{ key("none", { default: "y" }) }}', 'x one y'],
  ],
  keyExists: [['{{ keyExists("a/b") }} {{ keyExists("empty") }} {{ keyExists("none") }}', 'true true false']],
  keyOrDefault: [['{{ keyOrDefault("a/b", "x") }} {{ keyOrDefault("empty", "x") }} {{ keyOrDefault("none", 5) }}', 'one x 5']],
  ls: [['{% for p in ls("app") %}{{ p.key }}={{ p.value }}{{ p.modifyIndex }}{% endfor %}', 'x=17']],
  tree: [['{% for p in tree("app") %}{{ p.key }} {{ p.path }};{% endfor %}{{ tree("nothing") | length }}', 'x app/x;y/z app/y/z;0']],
  safeLs: [['{{ safeLs("app") | length }}', '1']],
  safeTree: [['{{ safeTree("app") | length }}', '2']],
  env: [['[{{ env("SET") }}] [{{ env("EMPTY", "x") }}] [{{ env("UNSET") }}] [{{ env("UNSET", "x") }}]', '[1] [] [] [x]']],
  envOrDefault: [['{{ envOrDefault("SET", "x") }}{{ envOrDefault("UNSET", "x") }}', '1x']],
  mustEnv: [['{{ mustEnv("SET") }}', '1']],
  file: [['{{ file("/etc/motd") }}', 'hello']],
  timestamp: [
    ['{{ timestamp() }} {{ timestamp("unix") }}', '2026-03-04T05:06:07Z 1772600767'],
    ['{{ timestamp("Mon Jan _2 3:04:05.000 PM 2006 -0700") }}', 'Wed Mar  4 5:06:07.089 AM 2026 +0000'],
    ['{{ timestamp("Monday, 02-Jan-06 15:04 MST (002)") }}', 'Wednesday, 04-Mar-26 05:06 UTC (063)'],
  ],
  interfaceAddress: [['{{ interfaceAddress("lo") }}', '127.0.0.1']],
  loop: [['{{ loop(2) | join }} {{ loop(5, 7) | join }}', '01 56']],
  range: [['{{ range(6, 0, -2) | join }} {{ range(0) | length }}', '642 0']],
};

const ABSENT = [
  'secret',
  'pkiCert',
  'nomadService',
  'plugin',
  'writeToFile',
  'scratch',
  'executeTemplate',
  'sockaddr',
  'spew_dump',
  'partitions',
];

/** Renders until all that is asked for and has an answer above is known. */
function renderedWithAnswers(template: string): string {
  const store = createStore();
  const around = { env: { SET: '1', EMPTY: '' }, folder: '/srv', isGivenUp: (query: Query) => learn(store, query) };
  for (let pass = 1; ; pass++) {
    try {
      return rendered(template, store, around);
    } catch (error) {
      if (pass === 4) throw error;
    }
  }
}

/** Asked of every query that is not known; learns its answer for the next pass. */
function learn(store: Store, query: Query): boolean {
  if (query.id in ANSWERS) store.put(query, store.view(query, ANSWERS[query.id]));
  return false;
}

test('every function has its rows, or says that it is absent', () => {
  const told = Object.keys(FUNCTIONS).filter((name) => !(name in ROWS));

  expect(Object.keys(ROWS).filter((name) => !(name in FUNCTIONS))).toEqual([]);
  for (const name of told) expect(() => rendered(`{{ ${name}("x") }}`)).toThrow(`${name}: not available here`);
  expect(told).toEqual(expect.arrayContaining(ABSENT));
});

describe.each(Object.entries(ROWS))('%s', (_, rows) => {
  test.each(rows)('%s', (template, text) => {
    expect(renderedWithAnswers(template)).toBe(text);
  });
});

test.each([
  ['{{ service("web|sleeping") }}', 'unknown status "sleeping"'],
  ['{{ service("a b") }}', '"a b" must be TAG.NAME?QUERY@DC~NEAR|STATUS'],
  ['{{ service("web?color=red") }}', 'unknown parameter "color"; known are ns, peer'],
  ['{{ service("web", { datacenter: "x" }) }}', 'unknown option "datacenter"; known are tag, dc'],
  ['{{ service() }}', 'service: needs the name of a service'],
  ['{{ key(5) }}', 'key: needs a path, got 5'],
  ['{{ mustEnv("UNSET") }}', 'the environment variable UNSET is not set'],
  ['{{ file("../etc/passwd") }}', 'outside of the template’s folder'.replace('’', "'")],
  ['{{ interfaceAddress("nosuch0") }}', '"nosuch0" has no such address'],
  ['{{ range(1000000000) | length }}', 'more than 1000000'],
  ['{{ sprig_upper("x") }}', 'sprig is not here'],
  ['{{ servce("x") }}', 'did you mean service?'],
])('%s says what is wrong', (template, words) => {
  expect(() => renderedWithAnswers(template)).toThrow(words);
});

test('what is missing is named, and a pass finds all of it', () => {
  expect(() => rendered('{{ key("a") }}{{ key("b", "x") }}{% for i in service("web") %}{% endfor %}')).toThrow(
    'waits for key a, key b, service web',
  );
  expect(() => renderedWithAnswers('{{ key("none") }}')).toThrow('waits for key none');
  expect(() => renderedWithAnswers('{{ safeTree("nothing") }}')).toThrow('waits for tree nothing');
});

test('by nearness, Consul is asked for the passing ones alone where they alone are wanted', () => {
  expect(() => rendered('{{ service("web~_agent") | length }}')).toThrow('waits for service web~_agent|passing');
  expect(() => rendered('{{ service("web~_agent|any") | length }}')).toThrow(/waits for service web~_agent$/);
});
