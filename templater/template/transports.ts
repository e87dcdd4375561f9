import { connectConsul } from '../../consul/connect.ts';
import type { ConsulOptions, WatchTransport } from '../../consul/transport.ts';

/** Connections over HTTP/1.1 at any number of services: for the agent's own datacenter, and for each other one. */
const CONNECTIONS = { own: 20, other: 8 } as const;
/** Of them, those that requests may wait on; the others are for answers that come at once. */
const HELD = { own: 16, other: 8 } as const;

/** Connections to one agent, those for each datacenter apart, so that one that hangs takes none from the others. */
export function createTransports(options: ConsulOptions): { readonly transportFor: (dc: string) => WatchTransport } & AsyncDisposable {
  const made = new Map<string, WatchTransport & AsyncDisposable>();
  return {
    transportFor: (dc) => {
      const known = made.get(dc);
      if (known !== undefined) return known;
      const kind = dc === '' ? 'own' : 'other';
      const transport = connectConsul({ ...options, maxConnections: CONNECTIONS[kind] });
      const bounded: WatchTransport & AsyncDisposable = {
        subject: transport.subject,
        capacity: () => (transport.capacity() <= CONNECTIONS[kind] ? HELD[kind] : transport.capacity()),
        send: (request, signal) => transport.send(dc === '' ? request : { ...request, query: { ...request.query, dc } }, signal),
        [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
      };
      made.set(dc, bounded);
      return bounded;
    },
    [Symbol.asyncDispose]: async () => {
      for (const transport of made.values()) await transport[Symbol.asyncDispose]();
    },
  };
}
