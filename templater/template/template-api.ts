import { type ApiSources, createMetrics, serveApi } from '../../daemon/api.ts';
import { type ProblemBook, toldProblem } from '../../daemon/problem-book.ts';
import { VERSION } from '../../daemon/version.ts';
import type { TemplateEngine } from './engine.ts';
import { createTemplateMetrics, type TemplateMetrics } from './template-metrics.ts';

/** What the template engine tells of itself over HTTP. */
export interface TemplateApi {
  readonly metrics: TemplateMetrics;
  /** Resolves once it listens. @throws OperationError when the address cannot be bound. */
  readonly serve: (at: { readonly address: string; readonly port: number }, told: Told, signal: AbortSignal) => Promise<void>;
}

interface Told {
  readonly engine: TemplateEngine;
  /** Consul's. */
  readonly address: string;
  readonly problems: ProblemBook;
}

/** Loaded by runs that last, and only by them: what counts metrics is half of a short run's packages. */
export function createTemplateApi(): TemplateApi {
  const registry = createMetrics('templater');
  return {
    metrics: createTemplateMetrics(registry),
    serve: (at, told, signal) => serveApi(at, apiSources(told, registry), signal),
  };
}

function apiSources({ engine, address, problems }: Told, metrics: ApiSources['metrics']): ApiSources {
  return {
    notReady: () => notReady(engine),
    status: () => ({
      program: 'templater',
      version: VERSION,
      consul: { address, failing: engine.answers.failing() },
      templates: engine.status(),
      commands: engine.failures(),
      holds: engine.holds(),
      problems: problems.list().map(toldProblem),
    }),
    metrics,
    routes: {
      'POST /release': async (query) => ({
        status: 200,
        body: { released: engine.release(query.get('service') ?? query.get('file') ?? undefined) },
      }),
    },
  };
}

function notReady(engine: TemplateEngine): string | undefined {
  const waiting = engine.status().filter(({ renderedAt }) => renderedAt === undefined);
  if (waiting.length === 0) return undefined;
  return waiting
    .map(({ template, missing, error }) => `${template}: ${error ?? missing.map(({ query, why }) => `${query}: ${why}`).join(', ')}`)
    .join('; ');
}
