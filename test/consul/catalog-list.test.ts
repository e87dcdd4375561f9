import { expect, test } from '@jest/globals';
import { canBeAskedFor, parseDatacenters, parseServiceList } from '../../consul/catalog-list.ts';

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
