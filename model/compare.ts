/** The order of texts on every edge node: by UTF-16 code unit, which is byte order for all that a Consul name may hold. Never by locale. */
export function byteOrder(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
