import { bytesOf, textOf } from '../../../consul/byte-text.ts';
import { nodeCrypto } from '../lazy-packages.ts';
import { asText, type Filter } from './values.ts';

/** Base64 and hashes, of the text's UTF-8 bytes. */
export const encodingFilters = {
  base64Encode: (value) => bytesOf(asText(value)).toString('base64'),
  base64Decode: (value) => decoded(asText(value), 'base64Decode', /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  base64URLEncode: (value) => bytesOf(asText(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
  base64URLDecode: (value) => decoded(asText(value), 'base64URLDecode', /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?$/),
  md5sum: (value) =>
    nodeCrypto()
      .createHash('md5')
      .update(bytesOf(asText(value)))
      .digest('hex'),
  sha256Hex: (value) =>
    nodeCrypto()
      .createHash('sha256')
      .update(bytesOf(asText(value)))
      .digest('hex'),
  hmacSHA256Hex: (value, key) =>
    nodeCrypto()
      .createHmac('sha256', bytesOf(asText(key)))
      .update(bytesOf(asText(value)))
      .digest('hex'),
} satisfies Record<string, Filter>;

/** The text may be a secret: the error says where it is wrong, not what it is. */
function decoded(text: string, filter: string, pattern: RegExp): string {
  const packed = text.replace(/[\r\n]/g, '');
  if (pattern.test(packed)) return textOf(Buffer.from(packed, 'base64'));
  const at = packed.search(filter === 'base64Decode' ? /[^A-Za-z0-9+/]/ : /[^A-Za-z0-9_-]/);
  throw new TypeError(
    `${filter}: no base64: ${packed.length} characters, ${at === -1 ? 'without the = at their end' : `wrong at ${at + 1}`}`,
  );
}
