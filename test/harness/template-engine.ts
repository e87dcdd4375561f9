import { parseConsulAddress } from '../../consul/address.ts';
import { createMetrics } from '../../daemon/api.ts';
import { createLog } from '../../daemon/log.ts';
import type { KnownProblem } from '../../daemon/problem-book.ts';
import { createProblemBook } from '../../daemon/problem-book.ts';
import { applyText } from '../../templater/template/apply.ts';
import { createTemplateEngine, type EnginePorts, type EngineSettings, type TemplateEngine } from '../../templater/template/engine.ts';
import { createLeadership } from '../../templater/template/leader.ts';
import { runAction } from '../../templater/template/run-action.ts';
import { TEMPLATE_DEFAULTS, type TemplateConfig } from '../../templater/template/template-config.ts';
import { createTemplateMetrics } from '../../templater/template/template-metrics.ts';
import { createTransports } from '../../templater/template/transports.ts';

export interface TestEngine extends AsyncDisposable {
  readonly engine: TemplateEngine;
  readonly problems: () => readonly KnownProblem[];
  /** A metric's value, all labels together. */
  readonly metric: (name: string) => Promise<number>;
}

/** The template engine in this process, on an agent. It runs until the test is done with it. */
export function startEngine(
  consulUrl: string,
  templates: readonly (Partial<TemplateConfig> & Pick<TemplateConfig, 'source' | 'destination'>)[],
  settings: Partial<EngineSettings> & { readonly ports?: Partial<EnginePorts> } = {},
): TestEngine {
  const address = parseConsulAddress(consulUrl);
  if (address === undefined) throw new Error(`no address: ${consulUrl}`);
  const end = new AbortController();
  const log = createLog('test', 'silent');
  const transports = createTransports({ address });
  const leadership = createLeadership(transports.transportFor(''), end.signal);
  const metrics = createMetrics('test');
  const problems = createProblemBook(log);
  const { ports, ...others } = settings;
  const engine = createTemplateEngine(
    { holdMs: 300_000, renderLimitMs: 2_000, actionIntervalMs: 1_000, env: process.env, ...others },
    {
      transportFor: transports.transportFor,
      apply: (config, text, isAlone, signal) => applyText(config, text, { env: {}, isAlone }, signal),
      runAction: (action, destinations, signal) => {
        const run = () => runAction(action, {}, signal);
        const isForLeader = action.kind === 'command' && action.isForLeader;
        return isForLeader ? leadership.runOnOne(action, destinations, run, signal) : run();
      },
      written: () => {},
      problems,
      metrics: createTemplateMetrics(metrics),
      log,
      ...ports,
    },
    end.signal,
  );
  engine.use(templates.map((template) => ({ ...TEMPLATE_DEFAULTS, ...template })));
  const running = engine.run(end.signal);
  return {
    engine,
    problems: problems.list,
    metric: async (name) => {
      const found = await metrics.getSingleMetric(name)?.get();
      return (found?.values ?? []).reduce((sum, { value }) => sum + value, 0);
    },
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await running;
      await leadership[Symbol.asyncDispose]();
      await transports[Symbol.asyncDispose]();
    },
  };
}
