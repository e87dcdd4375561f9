import { META } from '../consul/registration.ts';
import { byteOrder } from '../model/compare.ts';
import type { PortMetadata } from './metadata.ts';

/** A value that was left out, and why; whose it is, the caller knows. */
export interface Refused {
  readonly option: string;
  readonly value?: string;
  readonly reason: string;
}

/** Consul takes 64 pairs; ours are the others. */
const MOST_ATTRIBUTES = 64 - Object.keys(META).length;
const MOST_KEY_BYTES = 128;
const MOST_VALUE_BYTES = 512;

/** Keys that say something to us, and so say nothing to those who read the catalog. */
const isOurs = (key: string) => key === 'name' || key === 'id' || key === 'tags' || key.startsWith('check_');

/** The further keys of a port, as Meta that Consul takes; what it would refuse is left out, so that it never costs the service. */
export function parseAttributes(metadata: PortMetadata): { meta: Record<string, string>; refused: readonly Refused[] } {
  const meta: Record<string, string> = {};
  const refused: Refused[] = [];
  const entries = [...metadata.entries].filter(([key]) => !isOurs(key)).sort(([a], [b]) => byteOrder(a, b));
  for (const [key, value] of entries) {
    const option = `SERVICE_${key.toUpperCase()}`;
    const fault = keyFault(key) ?? valueFault(value);
    if (fault !== undefined) {
      refused.push({ option, value, reason: `${fault}: the attribute is left out` });
    } else if (Object.keys(meta).length === MOST_ATTRIBUTES) {
      refused.push({
        option,
        value,
        reason: `Consul takes ${MOST_ATTRIBUTES} attributes of a service beside our own: this one is left out`,
      });
    } else {
      meta[key] = value;
    }
  }
  return { meta, refused };
}

function keyFault(key: string): string | undefined {
  if (!/^[a-z0-9_-]+$/.test(key)) return 'Consul takes letters, digits, - and _ in the key of an attribute';
  if (key.length > MOST_KEY_BYTES) return `Consul takes at most ${MOST_KEY_BYTES} bytes as the key of an attribute`;
  if (key.startsWith('consul-')) return 'keys that begin with consul- are kept for Consul';
  if (key === '__proto__') return 'this is no key';
  if (Object.values<string>(META).includes(key)) return 'this key is kept for the registrator';
  return undefined;
}

/** Half a value says something else than the whole one. */
function valueFault(value: string): string | undefined {
  return Buffer.byteLength(value) > MOST_VALUE_BYTES ? `Consul takes at most ${MOST_VALUE_BYTES} bytes as an attribute` : undefined;
}

/** As much of a text as fits, in whole characters. */
export function cutToBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  let end = most;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
