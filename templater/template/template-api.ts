import type { ApiSources } from '../../daemon/api.ts';
import { type ProblemBook, toldProblem } from '../../daemon/problem-book.ts';
import { VERSION } from '../../daemon/version.ts';
import type { TemplateEngine } from './engine.ts';

/** What the template engine tells of itself over HTTP. */
export function apiSources(engine: TemplateEngine, address: string, problems: ProblemBook, metrics: ApiSources['metrics']): ApiSources {
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
