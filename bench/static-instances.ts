import { freePort } from '../test/harness/free-port.ts';
import { startHaproxy } from '../test/harness/haproxy.ts';

/** Instances that answer every request at once with their own address, all of them one HAProxy: far less work than an edge has. */
export interface StaticInstances extends AsyncDisposable {
  /** All have the same port. */
  readonly addresses: readonly string[];
  readonly port: number;
}

export async function startStaticInstances(count: number): Promise<StaticInstances> {
  const port = await freePort();
  const addresses = Array.from({ length: count }, (_, i) => `127.88.${i >> 8}.${(i & 255) + 1}`);
  const answer = 'http-request return status 200 content-type text/plain lf-string %[dst]';
  const binds = addresses.map((address) => `  bind ${address}:${port}`).join('\n');
  const haproxy = await startHaproxy(`frontend instances\n${binds}\n  ${answer}`);
  return { addresses, port, [Symbol.asyncDispose]: haproxy[Symbol.asyncDispose] };
}
