import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { changedKeys, withValues } from '../../model/revised-map.ts';

const NUMBERS: ReadonlyMap<string, number> = new Map(Array.from({ length: 200 }, (_, i) => [`k${i}`, i]));
const key = fc.oneof({ weight: 20, arbitrary: fc.nat(199).map((i) => `k${i}`) }, { weight: 1, arbitrary: fc.constantFrom('new', 'newer') });
const changes = fc.array(fc.array(fc.tuple(key, fc.nat(3)), { maxLength: 5 }), { maxLength: 60 });

test('a revised map reads as a copy does, in the same order', () => {
  fc.assert(
    fc.property(changes, (steps) => {
      let revised = NUMBERS;
      const copy = new Map(NUMBERS);
      for (const step of steps) {
        revised = withValues(revised, new Map(step));
        for (const [name, value] of step) copy.set(name, value);
      }
      const called: [string, number][] = [];
      revised.forEach((value, name) => {
        called.push([name, value]);
      });
      for (const entries of [[...revised], [...revised.entries()], called]) expect(entries).toEqual([...copy]);
      expect([...revised.keys()]).toEqual([...copy.keys()]);
      expect([...revised.values()]).toEqual([...copy.values()]);
      expect([...copy.keys()].map((name) => revised.get(name))).toEqual([...copy.values()]);
      expect([revised.size, revised.has('k1'), revised.has('nothing'), revised.get('nothing')]).toEqual([
        copy.size,
        true,
        false,
        undefined,
      ]);
    }),
    { numRuns: 50 },
  );
});

test('of two maps it is known what differs, or that it is not known; never that something is the same that is not', () => {
  fc.assert(
    fc.property(changes, fc.nat(), fc.nat(), (steps, one, other) => {
      const maps = [NUMBERS];
      for (const step of steps) maps.push(withValues(maps.at(-1) ?? NUMBERS, new Map(step)));
      const [a, b] = [maps[one % maps.length] ?? NUMBERS, maps[other % maps.length] ?? NUMBERS];
      const known = changedKeys(a, b);
      if (known === undefined) return;
      expect([...b.keys()]).toEqual([...a.keys()]);
      expect([...known].sort()).toEqual([...b.keys()].filter((name) => a.get(name) !== b.get(name)).sort());
    }),
    { numRuns: 200 },
  );
});

test('a few changes are known, and more than a few are not', () => {
  const few = withValues(withValues(NUMBERS, new Map([['k1', -1]])), new Map([['k2', -2]]));
  const many = withValues(few, new Map(Array.from({ length: 100 }, (_, i) => [`k${i}`, -1])));

  expect(changedKeys(NUMBERS, few)).toEqual(['k1', 'k2']);
  expect(changedKeys(few, many)).toBeUndefined();
});

test('what is there already makes no other map', () => {
  expect(withValues(NUMBERS, new Map([['k7', 7]]))).toBe(NUMBERS);
});
