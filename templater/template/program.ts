import { resolve } from 'node:path';
import { showConsulAddress } from '../../consul/address.ts';
import { consulOptions } from '../../consul/settings.ts';
import { createMetrics, serveApi } from '../../daemon/api.ts';
import type { Logger } from '../../daemon/log.ts';
import { createProblemBook, toldProblem } from '../../daemon/problem-book.ts';
import { VERSION } from '../../daemon/version.ts';
import { applyText } from './apply.ts';
import { commandEnv } from './command-env.ts';
import { createTemplateEngine, type TemplateEngine } from './engine.ts';
import { runOnce } from './once.ts';
import { runAction } from './run-action.ts';
import type { TemplateSettings } from './settings.ts';
import { TEMPLATE_DEFAULTS, type TemplateConfig } from './template-config.ts';
import { createTemplateMetrics } from './template-metrics.ts';
import { createTransports } from './transports.ts';
import { unifiedDiff } from './unified-diff.ts';
import { readDestination } from './write-file.ts';

export type ProgramSettings = TemplateSettings &
  Parameters<typeof consulOptions>[0] & { readonly api: { readonly address: string; readonly port: number } };

/** How long a command may take unless its configuration says otherwise, milliseconds. */
export const COMMAND_TIMEOUT_MS = 30_000;

/** Runs the template engine until the signal aborts, or until all is rendered with `-once`. Answers the exit code. */
export async function runTemplates(settings: ProgramSettings, log: Logger, told: AbortSignal): Promise<number> {
  const over = new AbortController();
  try {
    return await runUntil(settings, log, AbortSignal.any([told, over.signal]));
  } finally {
    over.abort();
  }
}

async function runUntil(settings: ProgramSettings, log: Logger, signal: AbortSignal): Promise<number> {
  const consul = consulOptions(settings);
  const metrics = createMetrics('templater');
  const problems = createProblemBook(log);
  const env = commandEnv({ ...settings, address: showConsulAddress(consul.address) });
  let pending = 0;
  const transports = createTransports(consul);
  signal.addEventListener('abort', () => void transports[Symbol.asyncDispose]());
  const engine = createTemplateEngine(
    { holdMs: settings.holdMs, renderLimitMs: settings.renderLimitMs, actionIntervalMs: settings.commandIntervalMs, env: process.env },
    {
      transportFor: transports.transportFor,
      apply: async (config, text, end) => {
        if (!settings.dry && !settings.dryRun) return await applyText(config, text, env, end);
        const isPending = await show(config, text, settings.dryRun);
        if (isPending) pending++;
        return { isWritten: false, isActionDue: false };
      },
      runAction: (action, end) => runAction(action, env, end),
      written: () => {},
      problems,
      metrics: createTemplateMetrics(metrics),
      log,
    },
    signal,
  );
  await serveApi(
    settings.api,
    {
      notReady: () => notReady(engine),
      status: () => ({
        program: 'templater',
        version: VERSION,
        consul: { address: showConsulAddress(consul.address), failing: engine.answers.failing() },
        templates: engine.status(),
        commands: engine.failures(),
        holds: engine.answers.holds(),
        problems: problems.list().map(toldProblem),
      }),
      metrics,
      routes: {
        'POST /holds/release': async () => {
          engine.answers.release();
          return { status: 200, body: { released: true } };
        },
      },
    },
    signal,
  );
  engine.use(settings.templates.map((flag) => templateOfFlag(flag, settings)));
  if (settings.once || settings.dryRun) {
    const code = await runOnce(engine, settings.onceTimeoutMs, signal);
    return code === 0 && settings.dryRun && pending > 0 ? 2 : code;
  }
  await engine.run(signal);
  return 0;
}

function templateOfFlag(
  { source, destination, command }: TemplateSettings['templates'][number],
  { wait }: TemplateSettings,
): TemplateConfig {
  return {
    ...TEMPLATE_DEFAULTS,
    source: { kind: 'file', path: resolve(source) },
    destination: resolve(destination),
    wait,
    action: command === undefined ? undefined : { kind: 'command', command, timeoutMs: COMMAND_TIMEOUT_MS, isForLeader: false },
  };
}

/** Prints what would be written; answers whether there is anything. */
async function show({ destination }: TemplateConfig, text: string, asDiff: boolean): Promise<boolean> {
  const before = (await readDestination(destination))?.toString('utf8');
  if (before === text) return false;
  process.stdout.write(asDiff ? unifiedDiff(destination, before, text) : `> ${destination}\n${text}`);
  return true;
}

function notReady(engine: TemplateEngine): string | undefined {
  const waiting = engine.status().filter(({ renderedAt }) => renderedAt === undefined);
  if (waiting.length === 0) return undefined;
  return waiting
    .map(({ template, missing, error }) => `${template}: ${error ?? missing.map(({ query, why }) => `${query}: ${why}`).join(', ')}`)
    .join('; ');
}
