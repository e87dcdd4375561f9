/**
 * Bytes as a text that loses none of them: what is no UTF-8 stands as lone surrogates U+DC80 to U+DCFF, one a byte. `bytesOf` gives the bytes
 * back. Pure.
 */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? byteByByte(bytes) : text;
}

/** The bytes of a text, those that `textOf` has kept too. Pure. */
export function bytesOf(text: string): Buffer {
  if (!LONE.test(text)) return Buffer.from(text);
  return Buffer.concat(text.split(LONE).map((part, at) => (at % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) & 0xff))));
}

const LONE = /([\udc80-\udcff])/u;

function byteByByte(bytes: Buffer): string {
  let text = '';
  let valid = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    if (length === 0) {
      text += bytes.toString('utf8', valid, at) + String.fromCharCode(0xdc00 | (bytes[at] ?? 0));
      valid = at + 1;
    }
    at += length || 1;
  }
  return text + bytes.toString('utf8', valid);
}

/** Bytes of the character that begins here; 0 where none does (RFC 3629). */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const [least, most] = SECOND[lead] ?? [0x80, 0xbf];
  for (let next = 1; next < length; next++) {
    const byte = bytes[at + next] ?? 0;
    if (byte < (next === 1 ? least : 0x80) || byte > (next === 1 ? most : 0xbf)) return 0;
  }
  return length;
}

/** Bounds of the second byte after leads that allow fewer: no surrogates, nothing too long or too large. */
const SECOND: Readonly<Record<number, readonly [number, number]>> = {
  224: [0xa0, 0xbf],
  237: [0x80, 0x9f],
  240: [0x90, 0xbf],
  244: [0x80, 0x8f],
};
