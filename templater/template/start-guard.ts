import { ConsulRefusal, call } from '../../consul/call.ts';
import { parseServiceList } from '../../consul/catalog-list.ts';
import type { ConsulTransport } from '../../consul/transport.ts';
import type { Logger } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import type { Hold } from './holds.ts';
import { datacenterOf, type Query } from './query.ts';
import { readDestination } from './write-file.ts';

/**
 * Keeps the files of an earlier run while Consul is empty at the start of this one: it may have lost its data, and what was there before is
 * known from the files alone. Asked for the first writing of each.
 */
export interface StartGuard {
  /** Whether the file has to stay what it is for now, though a template that reads these came to this text. */
  readonly withholds: (destination: string, text: string, queries: readonly Query[]) => Promise<boolean>;
  readonly holds: () => readonly Hold[];
  /** Lets all be written, or one; answers the destinations. */
  readonly release: (destination?: string) => readonly string[];
}

export interface StartGuardPorts {
  readonly transport: ConsulTransport;
  readonly holdMs: number;
  readonly log: Logger;
  readonly now: () => number;
}

export function createStartGuard({ transport, holdMs, log, now }: StartGuardPorts, signal: AbortSignal): StartGuard {
  const held = new Map<string, number>();
  const passed = new Set<string>();

  async function isDoubtful(destination: string, queries: readonly Query[]): Promise<boolean> {
    if (now() - (held.get(destination) ?? now()) >= holdMs) return false;
    return await isEmpty(transport, queries, signal).catch((error: unknown) => {
      if (error instanceof OperationError) return true;
      throw error;
    });
  }

  return {
    withholds: async (destination, text, queries) => {
      if (passed.has(destination) || holdMs === 0) return false;
      const before = readDestination(destination)?.toString('utf8') ?? '';
      if (before !== '' && before !== text && (await isDoubtful(destination, queries))) {
        if (passed.has(destination)) return false;
        if (!held.has(destination)) log.warn({ destination, holdMs }, 'consul is empty, the file of an earlier run stays');
        held.set(destination, held.get(destination) ?? now());
        return true;
      }
      if (held.delete(destination)) log.info({ destination }, 'the file may be written');
      passed.add(destination);
      return false;
    },
    holds: () =>
      [...held].map(([subject, since]) => ({
        subject,
        reason: 'Consul is empty, and the file of an earlier run holds something else: Consul may have lost its data',
        since: new Date(since).toISOString(),
        until: new Date(since + holdMs).toISOString(),
      })),
    release: (destination) => {
      const released = [...held.keys()].filter((one) => destination === undefined || one === destination);
      for (const one of released) {
        held.delete(one);
        passed.add(one);
      }
      return released;
    },
  };
}

/** For a template of the catalog, when there is nothing in it but Consul itself; for one of keys alone, when there is no key at all. */
async function isEmpty(transport: ConsulTransport, queries: readonly Query[], signal: AbortSignal): Promise<boolean> {
  const own = queries.filter((query) => query.source.kind !== 'file' && datacenterOf(query) === '');
  if (own.length === 0) return false;
  if (own.every(isOfKeys)) return (await keysThere(transport, signal)) === 0;
  const list = parseServiceList(await call(transport, { method: 'GET', path: '/v1/catalog/services' }, signal));
  return [...list.keys()].every((name) => name === 'consul');
}

function isOfKeys({ source }: Query): boolean {
  return source.kind === 'key' || (source.kind === 'consul' && source.path.startsWith('/v1/kv/'));
}

async function keysThere(transport: ConsulTransport, signal: AbortSignal): Promise<number> {
  try {
    const keys = await call(transport, { method: 'GET', path: '/v1/kv/', query: { keys: 'true', separator: '/' } }, signal);
    return Array.isArray(keys) ? keys.length : 0;
  } catch (error) {
    if (error instanceof ConsulRefusal && error.status === 404) return 0;
    throw error;
  }
}
