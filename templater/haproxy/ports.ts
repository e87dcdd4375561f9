import { createServer } from 'node:net';
import { OperationError } from '../../daemon/operation-error.ts';
import { sleep } from '../../daemon/sleep.ts';
import type { EdgeSettings } from './edge-settings.ts';

/** How long a HAProxy that ends may keep its ports, milliseconds. */
const FREE_WITHIN_MS = 500;
const LOOK_EVERY_MS = 5;

/**
 * Waits until the edge's own ports are free. A HAProxy would start although another one listens there (SO_REUSEPORT), and the two would share the requests.
 * @throws OperationError when another program keeps one.
 */
export async function awaitOwnPorts(
  { bind, httpPort, httpsPort, statsPort }: Pick<EdgeSettings, 'bind' | 'httpPort' | 'httpsPort' | 'statsPort'>,
  isHttps: boolean,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + FREE_WITHIN_MS;
  for (const port of isHttps ? [httpPort, httpsPort, statsPort] : [httpPort, statsPort]) {
    for (;;) {
      if ((await listenFault(bind, port)) !== IN_USE) break; // whatever else is wrong HAProxy tells, and it may have rights that we have not
      if (performance.now() > end || signal.aborted) throw new OperationError('start HAProxy', { subject: `${bind}:${port}`, hint: TAKEN });
      await sleep(LOOK_EVERY_MS, signal);
    }
  }
}

/** Why a TCP port of an address cannot be listened on, or undefined when it can. `haproxy -c` does not see it, so it is tried before. */
export async function whyNotBindable(address: string, port: number): Promise<string | undefined> {
  const fault = await listenFault(address, port);
  return fault && (REASONS.get(fault) ?? fault);
}

/** The code of the error, or its message. */
function listenFault(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

const IN_USE = 'EADDRINUSE';

const TAKEN = 'another program listens on this port of the edge; end it or choose another port';

const REASONS: ReadonlyMap<string, string> = new Map([
  [IN_USE, TAKEN],
  ['EACCES', 'the edge may not listen on this port; choose one above 1023 or give HAProxy the right to'],
  ['EADDRNOTAVAIL', 'the edge has no such address'],
]);
