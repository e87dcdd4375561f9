import { connectConsul } from '../consul/connect.ts';
import { consulOptions } from '../consul/settings.ts';
import { watchCatalog } from '../consul/watch-catalog.ts';
import { createAlarm } from '../daemon/alarm.ts';
import { type ApiAnswer, createMetrics, serveApi } from '../daemon/api.ts';
import type { Logger } from '../daemon/log.ts';
import { createProblemBook } from '../daemon/problem-book.ts';
import { sleep } from '../daemon/sleep.ts';
import type { Catalog } from '../model/catalog.ts';

import { explainRequest, explainService } from '../model/explain.ts';
import { createBelievedCatalog } from './believed-catalog.ts';
import { countedTransport } from './counted-transport.ts';
import { prepareRunDir } from './haproxy/config-files.ts';
import { consulProblem } from './haproxy/consul-problem.ts';
import { type EdgeMemory, readMemory, writeMemory } from './haproxy/edge-memory.ts';
import { createEdgeMetrics } from './haproxy/edge-metrics.ts';
import { type EdgeSettings, edgeFiles, ownNames } from './haproxy/edge-settings.ts';
import { edgeStatus } from './haproxy/edge-status.ts';
import { EDGE_WATCH } from './haproxy/edge-watch.ts';
import { createEdgeEngine, type EdgeEngine } from './haproxy/engine.ts';
import { readFeatures } from './haproxy/haproxy-binary.ts';
import { createHistory } from './haproxy/history.ts';
import { readDead } from './haproxy/observe.ts';
import { pinAtStart } from './haproxy/pin-file.ts';
import { lockRunDir } from './haproxy/run-dir-lock.ts';
import { createHistoryApi } from './history-api.ts';

/** How long a start waits for Consul before it serves what was last believed, milliseconds. */
const CONSUL_ABSENT_AFTER_MS = 3_000;
const TELL_OF_CONSUL_EVERY_MS = 1_000;
/** How long changes are gathered before they are remembered on disk, milliseconds. */
const REMEMBER_AFTER_MS = 3_000;

/** Keeps HAProxy true to Consul until the signal aborts: watch, guard, plan, change. Answers the exit code. */
export async function runEdge(
  settings: EdgeSettings & Parameters<typeof consulOptions>[0],
  log: Logger,
  signal: AbortSignal,
): Promise<number> {
  const metrics = createMetrics('templater');
  const problems = createProblemBook(log);
  const features = await readFeatures(settings.haproxy, signal);
  await using transport = connectConsul(consulOptions(settings));
  const files = edgeFiles(settings.runDir);
  await prepareRunDir(settings.runDir, files);
  await lockRunDir(settings.runDir, files.lock);
  const { memory: memoryFile } = files;
  const memory = await rememberedEdge(memoryFile, log);
  const { history: historyFile, pin: pinFile } = files;
  const history = createHistory(historyFile, (err) => log.warn({ err }, 'a generation of the edge cannot be kept'));
  const { pinned, problems: ofPin } = await pinAtStart(pinFile, history);
  problems.set('pin', ofPin);
  const edgeMetrics = createEdgeMetrics(metrics, {
    problems: () => problems.list().length,
    holds: () => guarded.holds().length,
    pinned: () => engine.status().pinned?.generation ?? 0,
    certificates: () => engine.status().certificates,
  });
  const engine = createEdgeEngine({
    settings,
    features,
    problems,
    history,
    pinned,
    metrics: edgeMetrics,
    lastGood: memory?.lastGood ?? new Map(),
    log,
  });
  const remember = createRemembering(memoryFile, engine, log);
  let believed = memory?.catalog;
  const believe = (catalog: Catalog, why: string) => {
    believed = catalog;
    engine.follow(catalog, why);
    remember(catalog);
  };
  const guarded = createBelievedCatalog({ last: believed, holdMs: settings.holdMs, believe, log });
  const historyApi = createHistoryApi({ history, engine, pinFile, problems });
  const watch = watchCatalog({ transport: countedTransport(transport, edgeMetrics.consulAnswered), ...EDGE_WATCH, log }, signal);
  await serveApi(
    settings.api,
    {
      notReady: () =>
        engine.status().running === undefined ? `HAProxy does not serve a catalog yet; Consul is ${transport.subject}` : undefined,
      status: () =>
        edgeStatus({
          settings,
          features,
          consul: { address: transport.subject, ...watch.status() },
          ...engine.status(),
          holds: guarded.holds(),
          problems: problems.list(),
        }),
      metrics,
      routes: {
        'GET /explain': async (query) => explain(query),
        'POST /release': release,
        ...historyApi.routes,
      },
    },
    signal,
  );
  log.info(
    { consul: transport.subject, runDir: settings.runDir, haproxy: features.version, bind: settings.bind, httpPort: settings.httpPort },
    'edge starts',
  );
  await Promise.all([engine.run(signal), follow(), serveFromMemory(), tellOfConsul()]);
  await history.flush();
  return 0;

  async function release(query: URLSearchParams): Promise<ApiAnswer> {
    const service = query.get('service') ?? undefined;
    const unpinned = service === undefined ? await historyApi.unpin() : undefined;
    return { status: 200, body: { released: guarded.release(service), unpinned: unpinned ?? null } };
  }

  async function explain(query: URLSearchParams): Promise<ApiAnswer> {
    const { catalog, planned, resolved, pinned } = engine.status();
    if (catalog === undefined || planned === undefined) return { status: 503, body: { error: 'there is no plan yet' } };
    const dead = await readDead(files, signal).catch((): ReadonlySet<string> => new Set());
    const edge = {
      catalog,
      plan: planned.plan,
      problems: problems.list(),
      resolved,
      ownNames: ownNames(),
      dead,
      holds: guarded.holds(),
      pinned: pinned?.generation,
    };
    const [service, host] = [query.get('service'), query.get('host')];
    const also = { pinned: pinned?.generation ?? null };
    if (service !== null) return { status: 200, body: { ...explainService(edge, service), ...also } };
    if (host !== null) return { status: 200, body: { ...explainRequest(edge, host, query.get('path') ?? '/'), ...also } };
    return { status: 400, body: { error: 'ask with ?service=NAME or ?host=HOST&path=/PATH' } };
  }

  async function follow(): Promise<void> {
    for await (const update of watch) {
      problems.set('catalog', update.problems);
      guarded.told(update);
    }
  }

  async function tellOfConsul(): Promise<void> {
    while (!signal.aborted) {
      problems.set('consul', consulProblem(transport.subject, watch.status().failing, Date.now()));
      await sleep(TELL_OF_CONSUL_EVERY_MS, signal);
    }
  }

  async function serveFromMemory(): Promise<void> {
    if (memory === undefined) return;
    await sleep(CONSUL_ABSENT_AFTER_MS, signal);
    if (believed !== memory.catalog || signal.aborted) return;
    log.warn({ consul: transport.subject, services: memory.catalog.services.size }, 'consul does not answer, serving what was last known');
    engine.follow(memory.catalog, 'Consul does not answer; what was last known is served');
  }
}

async function rememberedEdge(file: string, log: Logger): Promise<EdgeMemory | undefined> {
  return readMemory(file).catch((err: unknown) => {
    log.warn({ err }, 'starting without a memory');
    return undefined;
  });
}

/** Writes the newest of what is believed, a while after it changed. */
function createRemembering(file: string, engine: EdgeEngine, log: Logger): (catalog: Catalog) => void {
  let newest: Catalog | undefined;
  const alarm = createAlarm(() => {
    const lastGood = engine.status().planned?.lastGood;
    if (newest === undefined || lastGood === undefined) return;
    writeMemory(file, { catalog: newest, lastGood }).catch((err: unknown) => log.warn({ err }, 'the last catalog cannot be remembered'));
  });
  return (catalog) => {
    newest = catalog;
    alarm.in(REMEMBER_AFTER_MS, 'remember');
  };
}
