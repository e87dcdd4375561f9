import { backoffMs } from '../daemon/backoff.ts';
import { createDoorbell } from '../daemon/doorbell.ts';
import { sleep } from '../daemon/sleep.ts';
import { askNow, blockingQuery, createRenewal } from './blocking-query.ts';
import { type CatalogTable, parseCheckTable, parseNodeServices, parseNodeTable, type Touched, touchedBy } from './catalog-row.ts';
import type { ServiceAnswer } from './gathered-catalog.ts';
import { createLatelyChangedServices } from './lately-changed-services.ts';
import { createServiceFetcher } from './service-fetcher.ts';
import type { ServiceWatch, ServiceWatchPorts } from './service-watch.ts';
import type { ConsulTransport } from './transport.ts';

/** Least time between two answers with all checks, which may be megabytes, milliseconds. */
const CHECKS_INTERVAL_MS = 100;
/** How long the first requests for services wait for the tables, after which none has to be asked for twice, milliseconds. */
const TABLES_FIRST_MS = 100;
/** Services that are followed by a query of their own at once: what changed last. */
const LATELY_CHANGED = 4;
/** How long a move of the list may take to show in the answer of one of them, milliseconds; then it is looked for on every node. */
const SHOWS_WITHIN_MS = 5;
/** How soon the nodes are read all the same, for what else may have moved with it, milliseconds. */
const READ_ALL_THE_SAME_MS = 1_000;

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
 *
 * What changed once soon changes again: the services that changed last have a held query each, which tells at the cost of the service alone.
 * Where such an answer is as new as the list, the nodes, which are all instances there are, are read in the calm after it.
 */
export function watchByTriggers({ transport, hear, observe }: ServiceWatchPorts, signal: AbortSignal): ServiceWatch {
  const bell = createDoorbell();
  const lately = createLatelyChangedServices({ transport, hear: heardLately, observe }, LATELY_CHANGED, signal);
  const fetcher = createServiceFetcher({ transport, hear: heardFetched, observe }, signal);
  /** The index of each service's last answer that was fetched. */
  const fetched = new Map<string, number>();
  let newestHeld = 0;
  let mayFetch = false;
  let names: ReadonlySet<string> = new Set();
  let listIndex = 0;
  let nodes: CatalogTable | undefined;
  let instances: CatalogTable | undefined;
  const renewals = { checks: createRenewal(), nodes: createRenewal() };
  const baselines = { checks: false, nodes: false, instances: false };

  /** Whatever was fetched before the last of the tables was known may have changed since, unseen. */
  function hasBaseline(of: keyof typeof baselines): void {
    if (baselines[of]) return;
    baselines[of] = true;
    if (baselines.checks && baselines.nodes && baselines.instances) fetchAll();
  }

  function heardLately(name: string, answer: ServiceAnswer): void {
    newestHeld = Math.max(newestHeld, answer.index);
    hear(name, answer);
  }

  /** One whose held query has begun may be older than what that one answers. */
  function heardFetched(name: string, answer: ServiceAnswer): void {
    if (lately.has(name)) return;
    const before = fetched.get(name);
    fetched.set(name, answer.index);
    hear(name, answer);
    if (before === undefined || before === answer.index) return;
    const gone = lately.add(name);
    if (gone !== undefined) fetch([gone]);
  }

  function fetch(wanted: Iterable<string>): void {
    fetcher.fetch([...wanted].filter((name) => names.has(name) && !lately.has(name)));
  }

  function fetchAll(): void {
    mayFetch = true;
    fetch(names);
  }

  function touched(what: Touched): void {
    fetch(what.services);
    if (what.nodes.size === 0) return;
    for (const { node, service } of instances?.values() ?? []) if (what.nodes.has(node)) fetch([service]);
  }

  async function followChecks(): Promise<void> {
    const query = { path: '/v1/health/state/any', parse: parseCheckTable };
    let before: { readonly body: CatalogTable; readonly index: number } | undefined;
    for await (const after of blockingQuery(transport, query, { minIntervalMs: CHECKS_INTERVAL_MS, renewal: renewals.checks }, signal)) {
      if (before !== undefined) {
        fetch(fetcher.newerThan(before.index));
        touched(touchedBy(before.body, after.body));
      }
      before = after;
      hasBaseline('checks');
    }
  }

  async function followNodes(): Promise<void> {
    const query = { path: '/v1/catalog/nodes', parse: parseNodeTable };
    for await (const { body } of blockingQuery(transport, query, { renewal: renewals.nodes }, signal)) {
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
      if (instances !== undefined && (await showsLately(listIndex))) await sleep(READ_ALL_THE_SAME_MS, signal);
      const startedAt = performance.now();
      const index = listIndex;
      try {
        const after = await readInstances(transport, [...nodes.keys()], signal);
        const before = instances;
        instances = after;
        if (before !== undefined) {
          fetch(fetcher.newerThan(indexBefore));
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

  /** Whether the answer of a held query is as new as the list, which moved with it then. */
  async function showsLately(index: number): Promise<boolean> {
    if (newestHeld < index && newestHeld > 0) await sleep(SHOWS_WITHIN_MS, signal);
    return newestHeld >= index;
  }

  void Promise.all([followChecks(), followNodes(), followInstances()]);
  void sleep(TABLES_FIRST_MS, signal).then(() => {
    if (!mayFetch) fetchAll();
  });
  return {
    follow: (after, index) => {
      listIndex = index;
      const added = [...after].filter((name) => !names.has(name));
      names = after;
      fetcher.keep(names);
      lately.keepOnly(names);
      for (const name of fetched.keys()) if (!names.has(name)) fetched.delete(name);
      if (mayFetch) fetch(added);
      bell.ring();
    },
    renew: (what) => {
      lately.renew(what);
      if (what === 'all') {
        renewals.checks.renew();
        renewals.nodes.renew();
        fetcher.fetchAnew([...names].filter((name) => !lately.has(name)));
      } else fetcher.hurry();
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
