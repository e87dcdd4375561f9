import { expect, test } from '@jest/globals';
import type { Registered } from '../../consul/registration.ts';
import { createMirror, type Mirror } from '../../registrator/mirror.ts';

const of = (container: string, id = 'x'): Registered => ({
  id,
  name: 'n',
  address: '',
  port: 1,
  taggedAddresses: {},
  tags: [],
  meta: { 'toots-container': container },
  weights: { passing: 1, warning: 1 },
  tagsAreFree: false,
  checks: new Map(),
});
const idle = () => false;

/** What was read at 10, of the container `one`. */
function aMirror(...ids: string[]): Mirror {
  const mirror = createMirror();
  mirror.take(new Map(ids.map((id) => [id, of('one', id)])), 10, idle);
  return mirror;
}

test('services are found by their ID and by their container', () => {
  const mirror = aMirror('a', 'b');

  mirror.set('c', of('two', 'c'), 11);

  expect([...mirror.ids()]).toEqual(['a', 'b', 'c']);
  expect([...mirror.idsOfContainer('one')]).toEqual(['a', 'b']);
  expect(mirror.get('c')?.meta['toots-container']).toBe('two');
});

test('a service that another container has now is no longer the first one’s', () => {
  const mirror = aMirror('a');

  mirror.set('a', of('two'), 11);

  expect([...mirror.idsOfContainer('one')]).toEqual([]);
  expect([...mirror.idsOfContainer('two')]).toEqual(['a']);
});

test('what is taken away is gone from both', () => {
  const mirror = aMirror('a');

  mirror.set('a', undefined, 11);

  expect(mirror.has('a')).toBe(false);
  expect(mirror.size()).toBe(0);
  expect([...mirror.idsOfContainer('one')]).toEqual([]);
});

test('nothing is known before the first reading', () => {
  const mirror = createMirror();
  expect(mirror.isRead()).toBe(false);

  mirror.take(new Map(), 1, idle);

  expect(mirror.isRead()).toBe(true);
});

test.each<[string, (mirror: Mirror) => void, readonly string[]]>([
  ['nothing was written', () => {}, []],
  ['it was written after the reading began', (mirror) => mirror.set('a', of('two', 'a'), 20), ['a']],
  ['it was written before the reading began', (mirror) => mirror.set('a', of('two', 'a'), 19), []],
  ['a write began after the reading did', (mirror) => mirror.writing('a', 21), ['a']],
])('a reading that does not tell of a: %s', (_, before, left) => {
  const mirror = aMirror('a');

  before(mirror);
  mirror.take(new Map(), 20, idle);

  expect([...mirror.ids()]).toEqual(left);
});

test('a reading says nothing of what is being written', () => {
  const mirror = aMirror('a');

  mirror.take(new Map([['b', of('one', 'b')]]), 20, () => true);

  expect([...mirror.ids()]).toEqual(['a']);
});

test('a write in doubt is settled by a reading that began after it, busy or not, and by no earlier one', () => {
  const mirror = aMirror('a');
  mirror.writing('a', 20);
  mirror.doubt('a', 25);

  mirror.take(new Map(), 24, idle);
  expect(mirror.isDoubtful('a')).toBe(true);

  mirror.take(new Map([['a', of('two', 'a')]]), 26, () => true);
  expect(mirror.isDoubtful('a')).toBe(false);
  expect(mirror.get('a')?.meta['toots-container']).toBe('two');
});
