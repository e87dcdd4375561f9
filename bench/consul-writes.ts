import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { TestConsul } from '../test/harness/consul.ts';

/** Writes to Consul as quick as they can be: what is measured is what comes of them. */

export interface Registration {
  readonly id: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
}

/** From the begin of the write until `seen`, milliseconds. */
export async function register(consul: TestConsul, one: Registration, seen: () => Promise<unknown>): Promise<number> {
  const { id, service, address, port } = one;
  const watching = seen();
  await wait(5); // whoever watches is connected by then
  const start = performance.now();
  const end = watching.then(() => performance.now());
  await put(consul, '/v1/agent/service/register', {
    ...{ ID: id, Name: service, Tags: ['haproxy'], Address: address, Port: port },
    Check: { TTL: '1h', Status: 'passing' },
  });
  return (await end) - start;
}

export async function put(consul: TestConsul, path: string, body?: object): Promise<void> {
  await ask(consul, 'PUT', path, body);
}

const agent = new Agent({ keepAlive: true });

/** On a kept connection: to open one is not what is measured. */
export function ask({ host, httpPort }: TestConsul, method: string, path: string, body?: object): Promise<{ readonly index: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port: httpPort, method, path, agent }, (incoming) => {
      const index = String(incoming.headers['x-consul-index']);
      if (incoming.statusCode !== 200) reject(new Error(`Consul ${method} ${path}: ${incoming.statusCode}`));
      incoming.resume().on('end', () => resolve({ index }));
    });
    outgoing.on('error', reject);
    outgoing.end(body && JSON.stringify(body));
  });
}
