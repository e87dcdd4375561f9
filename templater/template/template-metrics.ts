import type { Metrics } from '../../daemon/metrics.ts';
import { shownAction } from './run-action.ts';
import type { ActionConfig } from './template-config.ts';

export interface TemplateMetrics {
  readonly evaluated: (template: string, outcome: string, ms: number) => void;
  readonly written: (template: string) => void;
  /** What the template shows is as known at this time, milliseconds since the epoch. */
  readonly current: (template: string, at: number) => void;
  readonly ran: (action: ActionConfig, ms: number, error: Error | undefined) => void;
  readonly round: (ms: number, holds: number, failing: number) => void;
}

/** The template engine's own metrics. */
export function createTemplateMetrics(metrics: Metrics): TemplateMetrics {
  const evaluations = metrics.counter('toots_template_evaluations_total', 'Evaluations by what they came to: rendered, waiting or failed', [
    'template',
    'outcome',
  ]);
  const renders = metrics.counter('toots_template_renders_total', 'Evaluations with everything there, which gave a text', ['template']);
  const seconds = metrics.histogram(
    'toots_template_evaluation_seconds',
    'How long an evaluation took',
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
  );
  const writes = metrics.counter('toots_template_writes_total', 'Files written', ['template']);
  const rendered = metrics.gauge('toots_template_rendered_timestamp_seconds', 'When the template was rendered last', ['template']);
  const commands = metrics.counter('toots_template_commands_total', 'Commands and signals by how they ended: done or failed', [
    'command',
    'outcome',
  ]);
  const commandSeconds = metrics.histogram('toots_template_command_seconds', 'How long commands took', [0.01, 0.05, 0.1, 0.5, 1, 5, 30]);
  const holds = metrics.gauge('toots_template_holds', 'Changes that are withheld as implausible');
  const stale = metrics.gauge('toots_template_queries_failing', 'Queries that get no answer; their last one stays');
  const rounds = metrics.histogram('toots_template_round_seconds', 'How long a round took', [0.001, 0.01, 0.1, 1]);
  return {
    evaluated: (template, outcome, ms) => {
      evaluations.inc({ template, outcome });
      seconds.observe(ms / 1000, { template });
      if (outcome === 'rendered') renders.inc({ template });
    },
    written: (template) => writes.inc({ template }),
    current: (template, at) => rendered.set(at / 1000, { template }),
    ran: (action, ms, error) => {
      commands.inc({ command: shownAction(action), outcome: error === undefined ? 'done' : 'failed' });
      commandSeconds.observe(ms / 1000);
    },
    round: (ms, held, failing) => {
      rounds.observe(ms / 1000);
      holds.set(held);
      stale.set(failing);
    },
  };
}
