import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
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

/** The template engine's own metrics, registered in `registry`. */
export function createTemplateMetrics(registry: Registry): TemplateMetrics {
  const registers = [registry];
  const evaluations = new Counter({
    name: 'toots_template_evaluations_total',
    help: 'Evaluations by what they came to: rendered, waiting or failed',
    labelNames: ['template', 'outcome'],
    registers,
  });
  const renders = new Counter({
    name: 'toots_template_renders_total',
    help: 'Evaluations with everything there, which gave a text',
    labelNames: ['template'],
    registers,
  });
  const seconds = new Histogram({
    name: 'toots_template_evaluation_seconds',
    help: 'How long an evaluation took',
    labelNames: ['template'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const writes = new Counter({ name: 'toots_template_writes_total', help: 'Files written', labelNames: ['template'], registers });
  const rendered = new Gauge({
    name: 'toots_template_rendered_timestamp_seconds',
    help: 'When the template was rendered last',
    labelNames: ['template'],
    registers,
  });
  const commands = new Counter({
    name: 'toots_template_commands_total',
    help: 'Commands and signals by how they ended: done or failed',
    labelNames: ['command', 'outcome'],
    registers,
  });
  const commandSeconds = new Histogram({
    name: 'toots_template_command_seconds',
    help: 'How long commands took',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  });
  const holds = new Gauge({ name: 'toots_template_holds', help: 'Changes that are withheld as implausible', registers });
  const stale = new Gauge({ name: 'toots_template_queries_failing', help: 'Queries that get no answer; their last one stays', registers });
  const rounds = new Histogram({
    name: 'toots_template_round_seconds',
    help: 'How long a round took',
    buckets: [0.001, 0.01, 0.1, 1],
    registers,
  });
  return {
    evaluated: (template, outcome, ms) => {
      evaluations.inc({ template, outcome });
      seconds.observe({ template }, ms / 1000);
      if (outcome === 'rendered') renders.inc({ template });
    },
    written: (template) => writes.inc({ template }),
    current: (template, at) => rendered.set({ template }, at / 1000),
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
