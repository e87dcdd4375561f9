import { isFreePort } from '../../deploy/host/port-use.ts';

/** Below the ephemeral ports (32768 and up), so that no outgoing connection takes one; above what programs use by default. */
const LOWEST = 20_000;
const HIGHEST = 32_700;

const handedOut = new Set<number>();

/** A port that nobody has, neither TCP nor UDP, on any address. Random, so that tests beside each other do not meet. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isFreePort(port)) return port;
  }
}

/** Several of them. */
export async function freePorts(count: number): Promise<number[]> {
  return await Promise.all(Array.from({ length: count }, freePort));
}
