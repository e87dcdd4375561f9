import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytesOf, textOf } from '../../consul/byte-text.ts';

test('no byte is lost, and UTF-8 reads as it does everywhere', () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((some) => Buffer.from(some));
  const nearly = fc
    .array(fc.constantFrom(0x61, 0xc3, 0xa4, 0xed, 0xa0, 0xf0, 0x90, 0x9f, 0xf4, 0x80, 0xbf, 0xef, 0xbd, 0xff))
    .map((some) => Buffer.from(some));
  fc.assert(fc.property(fc.oneof(bytes, nearly), (some) => bytesOf(textOf(some)).equals(some)));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => textOf(Buffer.from(text)) === text && bytesOf(text).equals(Buffer.from(text))),
  );
});

test('what is no UTF-8 is one lone surrogate a byte', () => {
  expect(textOf(Buffer.from([0x61, 0xff, 0xc3, 0xa4, 0xed, 0xa0, 0x80]))).toBe('a\udcffä\udced\udca0\udc80');
  expect(textOf(Buffer.from('\ufffd'))).toBe('\ufffd');
});
