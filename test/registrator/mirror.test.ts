import { expect, test } from '@jest/globals';
import type { Registered } from '../../consul/registration.ts';
import { createMirror } from '../../registrator/mirror.ts';

const of = (container: string, id = 'x'): Registered => ({
  id,
  name: 'n',
  address: '',
  port: 1,
  tags: [],
  meta: { 'toots-container': container },
  weights: { passing: 1, warning: 1 },
  tagsAreFree: false,
  checks: new Map(),
});

test('services are found by their ID and by their container', () => {
  const mirror = createMirror(
    new Map([
      ['a', of('one', 'a')],
      ['b', of('one', 'b')],
    ]),
  );

  mirror.set('c', of('two', 'c'));

  expect([...mirror.ids()]).toEqual(['a', 'b', 'c']);
  expect([...mirror.idsOfContainer('one')]).toEqual(['a', 'b']);
  expect(mirror.get('c')?.meta['toots-container']).toBe('two');
});

test('a service that another container has now is no longer the first one’s', () => {
  const mirror = createMirror(new Map([['a', of('one')]]));

  mirror.set('a', of('two'));

  expect([...mirror.idsOfContainer('one')]).toEqual([]);
  expect([...mirror.idsOfContainer('two')]).toEqual(['a']);
});

test('what is taken away is gone from both', () => {
  const mirror = createMirror(new Map([['a', of('one')]]));

  mirror.set('a', undefined);

  expect(mirror.has('a')).toBe(false);
  expect(mirror.size()).toBe(0);
  expect([...mirror.idsOfContainer('one')]).toEqual([]);
});
