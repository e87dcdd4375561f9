import { consulSettings } from '../consul/settings.ts';
import { underInit } from '../daemon/init.ts';
import { live } from '../daemon/live.ts';
import { createLog } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { logLevel, type Program, type SettingsOf, startProgram } from '../daemon/settings.ts';
import { edgeSettings, equalPorts } from './haproxy/edge-settings.ts';
import { whyAbsent } from './template/absent-flags.ts';
import { configPaths, readConfiguration } from './template/config-file.ts';
import { templateSettings } from './template/settings.ts';

// What only one of the engines needs is loaded with it: half of a short run's time would go into the other's.

const BOTH = '--edge and templates are two runs, so that neither can hold up the other: give one of them';

const options = { ...edgeSettings, ...templateSettings, ...consulSettings, logLevel } as const;

const program: Program<typeof options> = {
  name: 'toots templater',
  usage: 'import PATH… | [-template IN:OUT[:COMMAND]]… [-config PATH]… [--edge] [options]',
  about: 'Watches the Consul catalog and keeps files and, with --edge, HAProxy true to it.',
  options,
  whyAbsent,
};

void start();

async function start(): Promise<void> {
  process.exitCode = process.argv[2] === 'import' ? await importFile(process.argv.slice(3)) : await underInit(keepTrue);
}

async function importFile(args: readonly string[]): Promise<number> {
  const { runImport } = await import('./template/import/run-import.ts');
  return runImport(args);
}

async function keepTrue(): Promise<number> {
  // What configuration files say counts as flags that were given before all others.
  const configuration = readConfiguration(configPaths(process.argv.slice(2), process.env), process.cwd());
  process.argv.splice(2, 0, ...configuration.flags);
  tell(configuration.problems);
  return await startProgram(program, async (settings) => {
    const problems = contradictions(settings);
    tell(problems);
    if (configuration.problems.length + problems.length > 0) return 2;
    return await live((signal) => run(settings, signal), process.exit).catch((error: unknown) => {
      if (!(error instanceof OperationError)) throw error;
      process.stderr.write(`toots templater: ${error.message}\n`);
      return 1;
    });
  });
}

function tell(problems: readonly string[]): void {
  for (const problem of problems) process.stderr.write(`toots templater: ${problem}\n`);
}

type Settings = SettingsOf<typeof options>;

function hasTemplates({ templates, configs }: Settings): boolean {
  return templates.length > 0 || configs.length > 0;
}

function contradictions(settings: Settings): readonly string[] {
  if (settings.edge === hasTemplates(settings)) return [settings.edge ? BOTH : 'nothing to do: give -template, -config or --edge'];
  return settings.edge ? equalPorts(settings) : [];
}

async function run(settings: Settings, signal: AbortSignal): Promise<number> {
  const log = createLog('templater', settings.dryRun ? 'warn' : settings.logLevel);
  if (hasTemplates(settings)) {
    const { runTemplates } = await import('./template/program.ts');
    return await runTemplates(settings, log, signal);
  }
  if (settings.dryRun) {
    const { dryRunEdge } = await import('./edge-dry-run.ts');
    return await dryRunEdge(settings, log, (text) => process.stdout.write(text), signal);
  }
  const { runEdge } = await import('./edge-main.ts');
  return await runEdge(settings, log, signal);
}
