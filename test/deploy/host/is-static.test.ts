import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { hasInterpreter } from '../../../deploy/host/is-static.ts';

/** An ELF header and its program headers of these types. */
function elf(...types: readonly number[]): Buffer {
  const bytes = Buffer.alloc(64 + types.length * 56);
  bytes.writeUInt32BE(0x7f454c46, 0);
  bytes.writeUInt8(2, 4);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(types.length, 56);
  for (const [i, type] of types.entries()) bytes.writeUInt32LE(type, 64 + i * 56);
  return bytes;
}

test.each([
  ['with a loader', elf(6, 3, 1), true],
  ['without one', elf(6, 1, 2), false],
  ['a script', Buffer.from('#!/bin/sh\nexit 0\n'.repeat(10)), true],
  ['this Node.js', readFileSync(process.execPath), true],
])('a program %s', (_, file, needsLoader) => {
  expect(hasInterpreter(file)).toBe(needsLoader);
});
