import { readFileSync } from 'node:fs';

/** Established connections of this machine to a TCP port of it, over IPv4. */
export function connectionsTo(port: number | string): number {
  const hex = Number(port).toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/self/net/tcp', 'utf8').split('\n');
  return lines.filter((line) => new RegExp(`^\\s*\\d+: \\S+ \\S+:${hex} 01 `).test(line)).length;
}
