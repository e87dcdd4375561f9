import { connectConsul } from '../consul/connect.ts';
import { consulOptions } from '../consul/settings.ts';
import { watchCatalog } from '../consul/watch-catalog.ts';
import { createMetrics, serveApi } from '../daemon/api.ts';
import type { Logger } from '../daemon/log.ts';
import { createProblemBook } from '../daemon/problem-book.ts';
import { isForEdge } from '../model/edge-options.ts';
import { createEdgeMetrics } from './haproxy/edge-metrics.ts';
import type { EdgeSettings } from './haproxy/edge-settings.ts';
import { edgeStatus } from './haproxy/edge-status.ts';
import { createEdgeEngine } from './haproxy/engine.ts';
import { readFeatures } from './haproxy/haproxy-binary.ts';

/** Keeps HAProxy true to Consul until the signal aborts: watch, plan, change. Answers the exit code. */
export async function runEdge(
  settings: EdgeSettings & Parameters<typeof consulOptions>[0],
  log: Logger,
  signal: AbortSignal,
): Promise<number> {
  const metrics = createMetrics('templater');
  const problems = createProblemBook(log);
  const features = await readFeatures(settings.haproxy, signal);
  await using transport = connectConsul(consulOptions(settings));
  const engine = createEdgeEngine({ settings, features, problems, metrics: createEdgeMetrics(metrics), log });
  const watch = watchCatalog({ transport, isWanted: (_name, tags) => isForEdge(tags), keyPrefix: 'haproxy/', log }, signal);
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
          problems: problems.list(),
        }),
      metrics,
    },
    signal,
  );
  log.info(
    { consul: transport.subject, runDir: settings.runDir, haproxy: features.version, bind: settings.bind, httpPort: settings.httpPort },
    'edge starts',
  );
  await Promise.all([engine.run(signal), follow()]);
  return 0;

  async function follow(): Promise<void> {
    for await (const { catalog, changed, problems: unreadable } of watch) {
      problems.set('catalog', unreadable);
      engine.follow(
        catalog,
        changed.length === 0
          ? 'the catalog changed'
          : `changed in Consul: ${changed.slice(0, 5).join(', ')}${changed.length > 5 ? ` and ${changed.length - 5} more` : ''}`,
      );
    }
  }
}
