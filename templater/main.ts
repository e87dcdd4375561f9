#!/usr/bin/env node
import { consulSettings } from '../consul/settings.ts';
import { live } from '../daemon/live.ts';
import { createLog } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { logLevel, type Program, startProgram } from '../daemon/settings.ts';
import { dryRunEdge } from './edge-dry-run.ts';
import { runEdge } from './edge-main.ts';
import { edgeSettings, equalPorts } from './haproxy/edge-settings.ts';
import { configPaths, readConfiguration } from './template/config-file.ts';
import { runImport } from './template/import/run-import.ts';
import { runTemplates } from './template/program.ts';
import { templateSettings } from './template/settings.ts';

const BOTH = '--edge and templates are two runs, so that neither can hold up the other: give one of them';

const options = { ...edgeSettings, ...templateSettings, ...consulSettings, logLevel } as const;

const program: Program<typeof options> = {
  name: 'toots templater',
  usage: 'import CONSUL-TEMPLATE.HCL | [-template IN:OUT[:COMMAND]]… [-config PATH]… [--edge] [options]',
  about: 'Watches the Consul catalog and keeps files and, with --edge, HAProxy true to it.',
  options,
};

// What configuration files say counts as flags that were given before all others.
const configuration = readConfiguration(configPaths(process.argv.slice(2), process.env), process.cwd());
process.argv.splice(2, 0, ...configuration.flags);

const isImport = process.argv[2] === 'import';
process.exitCode = isImport
  ? runImport(process.argv.slice(3))
  : await startProgram(program, async (settings) => {
      if (configuration.problems.length > 0) {
        process.stderr.write(configuration.problems.map((problem) => `toots templater: ${problem}\n`).join(''));
        return 2;
      }
      const log = createLog('templater', settings.dryRun ? 'warn' : settings.logLevel);
      const hasTemplates = settings.templates.length > 0 || settings.configs.length > 0;
      if (settings.edge === hasTemplates) {
        process.stderr.write(`toots templater: ${hasTemplates ? BOTH : 'nothing to do: give -template, -config or --edge'}\n`);
        return 2;
      }
      const twice = settings.edge ? equalPorts(settings) : [];
      if (twice.length > 0) {
        process.stderr.write(twice.map((problem) => `toots templater: ${problem}\n`).join(''));
        return 2;
      }
      const run = (signal: AbortSignal) => {
        if (hasTemplates) return runTemplates(settings, log, signal);
        return settings.dryRun ? dryRunEdge(settings, log, (text) => process.stdout.write(text), signal) : runEdge(settings, log, signal);
      };
      return live(run, process.exit).catch((error: unknown) => {
        if (!(error instanceof OperationError)) throw error;
        log.fatal({ err: error }, 'cannot go on');
        return 1;
      });
    });
