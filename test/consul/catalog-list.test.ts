import { expect, test } from '@jest/globals';
import { canBeAskedFor, parseDatacenters, parseServiceList, rememberedServiceList } from '../../consul/catalog-list.ts';

test('reads names and tags', () => {
  expect([...parseServiceList({ web: ['haproxy', 'x'], consul: [], odd: null, ['__proto__']: ['haproxy'] })]).toEqual([
    ['web', ['haproxy', 'x']],
    ['consul', []],
    ['odd', []],
    ['__proto__', ['haproxy']],
  ]);
});

test.each([null, [], 'x', { web: 'haproxy' }])('%j is no list of services', (json) => {
  expect(() => parseServiceList(json)).toThrow(TypeError);
});

test('a list that says the same is the same object, in whatever order it has its tags', () => {
  const read = rememberedServiceList();
  const first = read({ web: ['a', 'b'], db: null });

  expect(read({ db: [], web: ['b', 'a'] })).toBe(first);
});

test.each<[title: string, json: unknown]>([
  ['a service more', { web: ['a', 'b'], db: null, new: [] }],
  ['a service less', { web: ['a', 'b'] }],
  ['another service', { web: ['a', 'b'], other: null }],
  ['a tag more', { web: ['a', 'b', 'c'], db: null }],
  ['a tag less', { web: ['a'], db: null }],
  ['another tag', { web: ['a', 'c'], db: null }],
  ['a tag twice', { web: ['a', 'a'], db: null }],
  ['a tag of one that had none', { web: ['a', 'b'], db: ['a'] }],
  ['no tag of one that had some', { web: null, db: null }],
])('a list with %s is read anew', (_, json) => {
  const read = rememberedServiceList();
  read({ web: ['a', 'b'], db: null });

  expect([...read(json)]).toEqual([...parseServiceList(json)]);
});

test('a list that is none is refused behind one that is', () => {
  const read = rememberedServiceList();
  read({});

  expect(() => read([])).toThrow(TypeError);
});

test('datacenters are sorted', () => {
  expect(parseDatacenters(['b', 'a'])).toEqual(['a', 'b']);
});

test.each([null, {}, [7]])('%j is no list of datacenters', (json) => {
  expect(() => parseDatacenters(json)).toThrow(TypeError);
});

/** As a real Consul 1.8.7 answers them: 200 or something else. */
test.each([
  ['web', true],
  ['web.v2', true],
  ['a b', true],
  ['ü', true],
  ['a/b', true],
  ['a/', true],
  ['..b', true],
  ['a\nb', false],
  ['a\u0000', false],
  ['.', false],
  ['..', false],
  ['/a', false],
  ['a//b', false],
  ['a/../b', false],
])('whether Consul can be asked for %j: %s', (name, expected) => {
  expect(canBeAskedFor(name)).toBe(expected);
});
