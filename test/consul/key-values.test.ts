import { expect, test } from '@jest/globals';
import { encodedKeyPath, parseKeyValues } from '../../consul/key-values.ts';

test('reads keys with their values', () => {
  const json = [
    { Key: 'haproxy/ü', Value: 'w7w=', CreateIndex: 1, ModifyIndex: 2, LockIndex: 3, Flags: 4, Session: 's' },
    { Key: 'haproxy/', Value: null, CreateIndex: 1, ModifyIndex: 1, LockIndex: 0, Flags: 0 },
  ];

  expect(parseKeyValues(json)).toEqual([
    { path: 'haproxy/ü', value: 'ü', createIndex: 1, modifyIndex: 2, lockIndex: 3, flags: 4, session: 's' },
    { path: 'haproxy/', value: '', createIndex: 1, modifyIndex: 1, lockIndex: 0, flags: 0, session: '' },
  ]);
});

test('no such key is no entry', () => {
  expect(parseKeyValues(null)).toEqual([]);
});

test.each([{}, 'x', [7]])('%j is no answer', (json) => {
  expect(() => parseKeyValues(json)).toThrow(TypeError);
});

test.each([
  ['haproxy/', 'haproxy/'],
  ['a b/c?d/ü%', 'a%20b/c%3Fd/%C3%BC%25'],
])('%s goes into a URL as %s', (path, expected) => {
  expect(encodedKeyPath(path)).toBe(expected);
});
