import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ConsulRefusal, call } from '../../consul/call.ts';
import { isRecord, textField } from '../../consul/json-fields.ts';
import { parseKeyValues } from '../../consul/key-values.ts';
import type { ConsulTransport } from '../../consul/transport.ts';
import { sleep } from '../../daemon/sleep.ts';
import { nodeCrypto } from './lazy-packages.ts';
import { shownCommand } from './run-command.ts';
import type { ActionConfig } from './template-config.ts';

/** Where the locks lie in Consul's KV store, one for each command. */
const LOCKS = 'toots/templater/leader/';
/** The least that Consul allows; a node that died is noticed after once or twice this. */
const SESSION_TTL = '10s';
const RENEW_EVERY_MS = 4_000;
const LOOK_EVERY_MS = 500;
/** How long an end waits for Consul to take the session back, milliseconds; else it ends by itself in time. */
const RELEASE_WITHIN_MS = 1_000;

/** Runs a command on one node of the cluster: the one that holds the command's lock, for as long as it lives. Disposed of, it gives up its locks. */
export interface Leadership extends AsyncDisposable {
  /**
   * Resolves when `run` has succeeded here, or when the leader has run the command for files with the same content. Waits otherwise, and
   * runs it here when the leader is gone. @throws what `run` throws, and OperationError when Consul does not answer.
   */
  readonly runOnOne: (
    action: ActionConfig,
    destinations: readonly string[],
    run: () => Promise<void>,
    signal: AbortSignal,
  ) => Promise<void>;
}

export function createLeadership(transport: ConsulTransport, signal: AbortSignal): Leadership {
  let session: Promise<string> | undefined;

  async function open(): Promise<string> {
    const body = { Name: `toots templater on ${hostname()}`, TTL: SESSION_TTL, LockDelay: '0s', Behavior: 'release' };
    const answer = await call(transport, { method: 'PUT', path: '/v1/session/create', body }, signal);
    const id = isRecord(answer) ? textField(answer, 'ID') : '';
    void keep(id);
    return id;
  }

  /** Until the end, or until Consul has forgotten it: then the next one who needs a session opens another. */
  async function keep(id: string): Promise<void> {
    while (!signal.aborted) {
      await sleep(RENEW_EVERY_MS, signal);
      if (signal.aborted) break;
      try {
        await call(transport, { method: 'PUT', path: `/v1/session/renew/${id}` }, signal);
      } catch (error) {
        if (!(error instanceof ConsulRefusal)) continue;
        session = undefined;
        return;
      }
    }
  }

  async function tryLock(path: string, value: string, end: AbortSignal): Promise<boolean> {
    session ??= open();
    const acquire = await session.catch((error: unknown) => {
      session = undefined;
      throw error;
    });
    return (await call(transport, { method: 'PUT', path, query: { acquire }, body: value }, end)) === true;
  }

  return {
    runOnOne: async (action, destinations, run, end) => {
      const path = `/v1/kv/${LOCKS}${lockName(action)}`;
      while (!end.aborted) {
        const content = await contentOf(destinations);
        const before = await lockValue(transport, path, end);
        if (before === content) return;
        if (await tryLock(path, before ?? '', end)) {
          await run();
          await tryLock(path, content, end);
          return;
        }
        await sleep(LOOK_EVERY_MS, end);
      }
    },
    [Symbol.asyncDispose]: async () => {
      const id = await session?.catch(() => undefined);
      if (id === undefined) return;
      const request = { method: 'PUT', path: `/v1/session/destroy/${id}`, timeoutMs: RELEASE_WITHIN_MS } as const;
      await call(transport, request, new AbortController().signal).catch(() => undefined);
    },
  };
}

/** What the leader ran the command for last. */
async function lockValue(transport: ConsulTransport, path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return parseKeyValues(await call(transport, { method: 'GET', path }, signal))[0]?.value;
  } catch (error) {
    if (error instanceof ConsulRefusal && error.status === 404) return undefined;
    throw error;
  }
}

function lockName(action: ActionConfig): string {
  return nodeCrypto()
    .createHash('sha256')
    .update(action.kind === 'command' ? shownCommand(action.command) : '')
    .digest('hex')
    .slice(0, 16);
}

async function contentOf(destinations: readonly string[]): Promise<string> {
  const hash = nodeCrypto().createHash('sha256');
  for (const destination of [...destinations].sort()) hash.update(await readFile(destination).catch(() => ''));
  return hash.digest('hex');
}
