import { textOf } from '../../consul/byte-text.ts';
import { ConsulRefusal, call } from '../../consul/call.ts';
import { parseServiceList } from '../../consul/catalog-list.ts';
import type { ConsulTransport } from '../../consul/transport.ts';
import type { Logger } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import type { Hold } from './holds.ts';
import { datacenterOf, type Query } from './query.ts';
import { readDestination } from './write-file.ts';

/**
 * Keeps the files of an earlier run while Consul is empty at the start of this one, or is being filled again: it may have lost its data, and what was
 * there before is known from the files alone. Asked for the first writing of each.
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

const IS_EMPTY = 'Consul is empty, and the file of an earlier run holds something else: Consul may have lost its data';
const IS_FILLING =
  'the text is less than half of the file of an earlier run: Consul may have lost its data; it counts when it has not grown for 10 s';
/** How long a text that is much shorter than the file must not have grown, milliseconds: a registrator asks a Consul that is back within 10 s. */
const STILL_MS = 10_000;
/** A file that loses fewer lines than these loses little. */
const FEW_LINES = 10;

export function createStartGuard({ transport, holdMs, log, now }: StartGuardPorts, signal: AbortSignal): StartGuard {
  const held = new Map<string, { readonly since: number; readonly reason: string }>();
  const passed = new Set<string>();
  const growths = new Map<string, { readonly lines: number; readonly at: number }>();

  /** Why the text is not believed yet. */
  async function doubt(destination: string, before: string, text: string, queries: readonly Query[]): Promise<string | undefined> {
    if (before === '' || before === text || now() - (held.get(destination)?.since ?? now()) >= holdMs) return undefined;
    const own = queries.filter((query) => query.source.kind !== 'file' && datacenterOf(query) === '');
    if (own.length === 0) return undefined;
    if (await isEmpty(transport, own, signal).catch(orUnknown)) return IS_EMPTY;
    return isMuchLess(text, before) && !isStill(destination, lineCount(text)) ? IS_FILLING : undefined;
  }

  function isStill(destination: string, lines: number): boolean {
    const last = growths.get(destination);
    if (last !== undefined && lines <= last.lines) return now() - last.at >= STILL_MS;
    growths.set(destination, { lines, at: now() });
    return false;
  }

  return {
    withholds: async (destination, text, queries) => {
      if (passed.has(destination) || holdMs === 0) return false;
      const before = textOf(readDestination(destination) ?? Buffer.of());
      const reason = await doubt(destination, before, text, queries);
      if (reason !== undefined) {
        if (passed.has(destination)) return false;
        const since = held.get(destination)?.since;
        if (since === undefined) log.warn({ destination, reason, holdMs }, 'the file of an earlier run stays');
        held.set(destination, { since: since ?? now(), reason });
        return true;
      }
      if (held.delete(destination)) log.info({ destination }, 'the file may be written');
      passed.add(destination);
      return false;
    },
    holds: () =>
      [...held].map(([subject, { since, reason }]) => ({
        ...{ subject, reason },
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

function isMuchLess(text: string, before: string): boolean {
  const [lines, linesBefore] = [lineCount(text), lineCount(before)];
  return lines * 2 < linesBefore && linesBefore - lines >= FEW_LINES;
}

function lineCount(text: string): number {
  return text.split('\n').length;
}

/** A Consul that does not answer may be empty as well. */
function orUnknown(error: unknown): true {
  if (error instanceof OperationError) return true;
  throw error;
}

/** For a template of the catalog, when there is nothing in it but Consul itself; for one of keys alone, when there is no key at all. */
async function isEmpty(transport: ConsulTransport, queries: readonly Query[], signal: AbortSignal): Promise<boolean> {
  if (queries.every(isOfKeys)) return (await keysThere(transport, signal)) === 0;
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
