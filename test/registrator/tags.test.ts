import { expect, test } from '@jest/globals';
import { joinTags, parseTags } from '../../registrator/tags.ts';

test.each([
  ['', []],
  ['a,b,c', ['a', 'b', 'c']],
  [' a , b ', ['a', 'b']],
  [',,a,,b,,', ['a', 'b']],
  ['a,b\\,c', ['a', 'b,c']],
  ['\\,a\\,', [',a,']],
  ['haproxy,haproxy_route=/media,weight=100', ['haproxy', 'haproxy_route=/media', 'weight=100']],
])('%j is %j', (list, tags) => {
  expect(parseTags(list)).toEqual(tags);
});

test('a tag of several lists is where it comes first', () => {
  expect(joinTags(['b', 'a'], ['c', 'b'], ['udp'])).toEqual(['b', 'a', 'c', 'udp']);
});
