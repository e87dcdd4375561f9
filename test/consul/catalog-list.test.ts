import { expect, test } from '@jest/globals';
import { parseDatacenters, parseServiceList } from '../../consul/catalog-list.ts';

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
