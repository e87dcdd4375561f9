const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV6_GROUP = /^[0-9a-f]{1,4}$/i;

/** The version of an IP address in its usual text, without brackets or zone; undefined for any other text. */
export function ipVersion(text: string): 4 | 6 | undefined {
  if (IPV4.test(text)) return 4;
  return isIpv6(text) ? 6 : undefined;
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1)?.at(-1);
  const tail = last !== undefined && IPV4.test(last) ? 1 : 0;
  const plain = groups.flat().slice(0, tail === 1 ? -1 : undefined);
  const count = plain.length + tail * 2;
  return plain.every((group) => IPV6_GROUP.test(group)) && (halves.length === 2 ? count <= 7 : count === 8);
}
