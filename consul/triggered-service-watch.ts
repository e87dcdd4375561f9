import { backoffMs } from '../daemon/backoff.ts';
import { createDoorbell } from '../daemon/doorbell.ts';
import { sleep } from '../daemon/sleep.ts';
import { askNow, blockingQuery } from './blocking-query.ts';
import { type CatalogTable, parseCheckTable, parseNodeServices, parseNodeTable, type Touched, touchedBy } from './catalog-row.ts';
import { createServiceFetcher } from './service-fetcher.ts';
import type { ServiceWatch, ServiceWatchPorts } from './service-watch.ts';
import type { ConsulTransport } from './transport.ts';

/** Least time between two answers with all checks, which may be megabytes, milliseconds. */
const CHECKS_INTERVAL_MS = 100;

/**
 * Follows services by what is common to all, and asks for a service when something of it changed. Few connections whatever their number.
 *   what changed                              | shows in
 *   ------------------------------------------|--------------------------------------------------------
 *   a check, of a service or a node           | `/v1/health/state/any`, by its ModifyIndex
 *   a node's address or meta                  | `/v1/catalog/nodes`, by its ModifyIndex
 *   an instance came, went, or differs        | the index of `/v1/catalog/services` alone (Consul 1.8): its owner tells
 *                                             | by `follow`; `/v1/catalog/node/:node` of every node then says which
 * Two tables show nothing of what came after the first and went before the second; a service that was asked for in between may have seen it, so
 * every service with an answer newer than the first is asked for again.
 */
export function watchByTriggers({ transport, hear, observe }: ServiceWatchPorts, signal: AbortSignal): ServiceWatch {
  const fetcher = createServiceFetcher({ transport, hear, observe }, signal);
  const bell = createDoorbell();
  let names: ReadonlySet<string> = new Set();
  let listIndex = 0;
  let nodes: CatalogTable | undefined;
  let instances: CatalogTable | undefined;
  const baselines = { checks: false, nodes: false, instances: false };

  /** Whatever was fetched before the last of the tables was known may have changed since, unseen. */
  function hasBaseline(of: keyof typeof baselines): void {
    if (baselines[of]) return;
    baselines[of] = true;
    if (baselines.checks && baselines.nodes && baselines.instances) fetcher.fetch(names);
  }

  function touched(what: Touched): void {
    fetcher.fetch([...what.services].filter((name) => names.has(name)));
    if (what.nodes.size === 0) return;
    for (const { node, service } of instances?.values() ?? []) if (what.nodes.has(node) && names.has(service)) fetcher.fetch([service]);
  }

  async function followChecks(): Promise<void> {
    const query = { path: '/v1/health/state/any', parse: parseCheckTable };
    let before: { readonly body: CatalogTable; readonly index: number } | undefined;
    for await (const after of blockingQuery(transport, query, { minIntervalMs: CHECKS_INTERVAL_MS }, signal)) {
      if (before !== undefined) {
        fetcher.fetch(fetcher.newerThan(before.index));
        touched(touchedBy(before.body, after.body));
      }
      before = after;
      hasBaseline('checks');
    }
  }

  async function followNodes(): Promise<void> {
    const query = { path: '/v1/catalog/nodes', parse: parseNodeTable };
    for await (const { body } of blockingQuery(transport, query, {}, signal)) {
      if (nodes !== undefined) touched(touchedBy(nodes, body));
      nodes = body;
      hasBaseline('nodes');
      bell.ring();
    }
  }

  /** One round at a time; between two it rests as long as it worked, twice over. */
  async function followInstances(): Promise<void> {
    let indexBefore = 0;
    for (let failures = 0; !signal.aborted; ) {
      await bell.rung(signal);
      if (nodes === undefined || signal.aborted) continue;
      const startedAt = performance.now();
      const index = listIndex;
      try {
        const after = await readInstances(transport, [...nodes.keys()], signal);
        const before = instances;
        instances = after;
        if (before !== undefined) {
          fetcher.fetch(fetcher.newerThan(indexBefore));
          touched(touchedBy(before, after));
        }
        indexBefore = index;
        hasBaseline('instances');
        failures = 0;
      } catch {
        failures++;
        bell.ring();
      }
      await sleep(Math.max(2 * (performance.now() - startedAt), backoffMs(failures, 250, 10_000)), signal);
    }
  }

  void Promise.all([followChecks(), followNodes(), followInstances()]);
  return {
    follow: (after, index) => {
      listIndex = index;
      const added = [...after].filter((name) => !names.has(name));
      names = after;
      fetcher.keep(names);
      fetcher.fetch(added);
      bell.ring();
    },
    renew: (what) => {
      if (what === 'all') fetcher.fetch(names);
      else fetcher.hurry();
      bell.ring();
    },
  };
}

/** Nodes that are asked for at once. */
const NODES_AT_ONCE = 8;

/** The instances on all these nodes. @throws Error when one of them cannot be read: a part would look like the rest had gone. */
async function readInstances(transport: ConsulTransport, nodes: readonly string[], signal: AbortSignal): Promise<CatalogTable> {
  const table = new Map<string, CatalogTable extends ReadonlyMap<string, infer Row> ? Row : never>();
  const rest = nodes[Symbol.iterator]();
  const read = async () => {
    for (const node of rest) {
      const query = { path: `/v1/catalog/node/${encodeURIComponent(node)}`, parse: (json: unknown) => parseNodeServices(json, node) };
      const { body } = await askNow(transport, query, signal);
      for (const [key, row] of body) table.set(key, row);
    }
  };
  await Promise.all(Array.from({ length: NODES_AT_ONCE }, read));
  return table;
}
