import { backoffMs } from '../daemon/backoff.ts';
import { createDoorbell } from '../daemon/doorbell.ts';
import { sleep } from '../daemon/sleep.ts';
import { type BlockingAnswer, blockingQuery, createRenewal } from './blocking-query.ts';
import { calm } from './calm.ts';
import { type CatalogTable, parseCheckTable, parseNodeTable, type Touched, touchedBy } from './catalog-row.ts';
import { answersFromTables } from './first-answers.ts';
import type { ServiceAnswer } from './gathered-catalog.ts';
import { createLatelyChangedServices } from './lately-changed-services.ts';
import { type NodeInstances, readNodeInstances } from './node-instances.ts';
import { createServiceFetcher } from './service-fetcher.ts';
import type { ServiceWatch, ServiceWatchPorts } from './service-watch.ts';

/** Least time between two answers with all checks, which may be megabytes, milliseconds. */
const CHECKS_INTERVAL_MS = 100;
/** How long services wait for the tables, which say all of them at once; then each is asked for, milliseconds. */
const TABLES_FIRST_MS = 1_000;
/** How long, where the nodes, which are a request each, are more than the services, or not known by then, milliseconds. */
const NODES_FIRST_MS = 200;
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
 * At the start the same tables, once they are known to fit together, say what every service answers.
 *
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
  /** What moved last was one of the services that are held: the next may be, too, and is worth waiting for. */
  let didShow = true;
  /** Services are asked for one by one from now on: the first answers of all are there, or are not to be had from the tables. */
  let mayFetch = false;
  let firstChecks: BlockingAnswer<unknown> | undefined;
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
    if (baselines.checks && baselines.nodes && baselines.instances && mayFetch) fetchAll();
  }

  function heardLately(name: string, answer: ServiceAnswer): void {
    newestHeld = Math.max(newestHeld, answer.index);
    // The first answer of a service that has just become one of them is no move.
    if (answer.index !== fetched.get(name)) didShow = true;
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
    firstChecks = undefined;
    fetch(names);
  }

  /** The first answers of all services, from the tables where they can be had from them. */
  async function tellAll(listIndex: number, { answers }: NodeInstances): Promise<void> {
    if (mayFetch || firstChecks === undefined) return;
    const tables = { listIndex, checks: firstChecks, nodes: answers };
    const answerOf = await answersFromTables(transport, tables, signal).catch(() => undefined);
    if (mayFetch || signal.aborted) return;
    if (answerOf === undefined) return fetchAll();
    mayFetch = true;
    firstChecks = undefined;
    // What has been fetched meanwhile is newer.
    for (const name of names) if (!fetched.has(name)) heardFetched(name, answerOf(name));
  }

  function touched(what: Touched): void {
    fetch(what.services);
    if (what.nodes.size === 0) return;
    for (const { node, service } of instances?.values() ?? []) if (what.nodes.has(node)) fetch([service]);
  }

  async function followChecks(): Promise<void> {
    const query = { path: '/v1/health/state/any', parse: (json: unknown) => ({ json, table: parseCheckTable(json) }) };
    let before: { readonly table: CatalogTable; readonly index: number } | undefined;
    for await (const after of blockingQuery(
      transport,
      query,
      { minIntervalMs: () => CHECKS_INTERVAL_MS, renewal: renewals.checks },
      signal,
    )) {
      const { json, table } = after.body;
      if (before !== undefined) {
        fetch(fetcher.newerThan(before.index));
        touched(touchedBy(before.table, table));
      } else if (!mayFetch) firstChecks = { ...after, body: json };
      before = { table, index: after.index };
      if (!baselines.checks) bell.ring();
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
      if (nodes === undefined || signal.aborted || !isTimeForInstances()) continue;
      if (instances !== undefined) await calm(bell, () => showsLately(listIndex), READ_ALL_THE_SAME_MS, signal);
      const startedAt = performance.now();
      const index = listIndex;
      try {
        const after = await readNodeInstances(transport, [...nodes.keys()], !mayFetch, signal);
        const before = instances;
        instances = after.table;
        if (before !== undefined) {
          fetch(fetcher.newerThan(indexBefore));
          touched(touchedBy(before, after.table));
        }
        indexBefore = index;
        hasBaseline('instances');
        await tellAll(index, after);
        failures = 0;
      } catch {
        failures++;
        bell.ring();
      }
      await sleep(Math.max(2 * (performance.now() - startedAt), backoffMs(failures, 250, 10_000)), signal);
    }
  }

  /** The first time after the list and the checks: then what is in the instances is in those too. */
  function isTimeForInstances(): boolean {
    return mayFetch || (baselines.checks && listIndex > 0);
  }

  /** Whether the answer of a held query is as new as the list, which moved with it then. */
  async function showsLately(index: number): Promise<boolean> {
    if (newestHeld < index && newestHeld > 0 && didShow) await sleep(SHOWS_WITHIN_MS, signal);
    didShow = newestHeld >= index;
    return didShow;
  }

  void Promise.all([followChecks(), followNodes(), followInstances()]);
  /** Asks for each service when the tables take too long. */
  async function doWithoutTables(): Promise<void> {
    await sleep(NODES_FIRST_MS, signal);
    if (nodes !== undefined && nodes.size <= names.size) await sleep(TABLES_FIRST_MS - NODES_FIRST_MS, signal);
    if (mayFetch || signal.aborted) return;
    fetchAll();
    bell.ring();
  }

  void doWithoutTables();
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
        mayFetch = true;
        firstChecks = undefined;
        renewals.checks.renew();
        renewals.nodes.renew();
        fetcher.fetchAnew([...names].filter((name) => !lately.has(name)));
      } else fetcher.hurry();
      bell.ring();
    },
  };
}
