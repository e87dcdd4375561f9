#!/usr/bin/env node
import { consulSettings } from '../consul/settings.ts';
import { live } from '../daemon/live.ts';
import { createLog } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { logLevel, type Program, startProgram } from '../daemon/settings.ts';
import { dryRunEdge } from './edge-dry-run.ts';
import { runEdge } from './edge-main.ts';
import { edgeSettings } from './haproxy/edge-settings.ts';

const options = { ...edgeSettings, ...consulSettings, logLevel } as const;

const program: Program<typeof options> = {
  name: 'toots templater',
  usage: '--edge [options]',
  about: 'Watches the Consul catalog and keeps HAProxy true to it.',
  options,
};

process.exitCode = await startProgram(program, async (settings) => {
  const log = createLog('templater', settings.dryRun ? 'warn' : settings.logLevel);
  if (!settings.edge) {
    process.stderr.write('toots templater: nothing to do: give --edge\n');
    return 2;
  }
  const run = settings.dryRun
    ? (signal: AbortSignal) => dryRunEdge(settings, log, (text) => process.stdout.write(text), signal)
    : (signal: AbortSignal) => runEdge(settings, log, signal);
  return live(run).catch((error: unknown) => {
    if (!(error instanceof OperationError)) throw error;
    log.fatal({ err: error }, 'cannot go on');
    return 1;
  });
});
