import { isIP } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ipVersion } from '../../model/ip-address.ts';

test.each<[text: string, version: 4 | 6 | undefined]>([
  ['0.0.0.0', 4],
  ['255.255.255.255', 4],
  ['::', 6],
  ['::1', 6],
  ['1::', 6],
  ['2001:db8::ff00:42:8329', 6],
  ['1:2:3:4:5:6:7:8', 6],
  ['::ffff:10.0.0.1', 6],
  ['1:2:3:4:5:6:10.0.0.1', 6],
  ['256.0.0.1', undefined],
  ['10.0.0', undefined],
  ['10.0.0.1.', undefined],
  ['10.0.0.1.2', undefined],
  ['1.2.3.4\n', undefined],
  ['0x7f.0.0.1', undefined],
  ['010.0.0.1', undefined],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7::8', undefined],
  ['1::2::3', undefined],
  [':::', undefined],
  [':1', undefined],
  ['1:', undefined],
  ['10.0.0.1::1', undefined],
  ['::1%lo', undefined],
  ['[::1]', undefined],
  ['', undefined],
])('%j is an address of version %j', (text, version) => {
  expect(ipVersion(text)).toBe(version);
});

test('agrees with the system on every text that looks like one, zones aside', () => {
  const piece = fc.constantFrom('0', '1', '01', 'f', 'ff00', '12345', '255', '256', '10.0.0.1', '');
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.array(piece, { maxLength: 9 }).map((parts) => parts.join(':')),
    fc.array(piece, { maxLength: 5 }).map((parts) => parts.join('.')),
  );
  fc.assert(
    fc.property(text, (address) => {
      expect(`${address} ${ipVersion(address) ?? 0}`).toBe(`${address} ${isIP(address)}`);
    }),
    { numRuns: 2_000 },
  );
});
