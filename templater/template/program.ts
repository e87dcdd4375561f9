import { rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { showConsulAddress } from '../../consul/address.ts';
import { bytesOf, textOf } from '../../consul/byte-text.ts';
import { consulOptions } from '../../consul/settings.ts';
import { innerSignal } from '../../daemon/inner-signal.ts';
import type { Logger } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { createProblemBook, type ProblemBook } from '../../daemon/problem-book.ts';
import { applyText } from './apply.ts';
import { type Configuration, destinationProblems, readConfiguration } from './config-file.ts';
import { createTemplateEngine, type TemplateEngine } from './engine.ts';
import { consulEnvironment, type Environment } from './environment.ts';
import { createLeadership } from './leader.ts';
import { runOnce } from './once.ts';
import { sourceProblems } from './parse-only.ts';
import { runAction } from './run-action.ts';
import type { TemplateSettings } from './settings.ts';
import type { SuperviseOptions } from './supervise.ts';
import { COMMAND_TIMEOUT_MS, TEMPLATE_DEFAULTS, type TemplateConfig } from './template-config.ts';
import type { TemplateMetrics } from './template-metrics.ts';
import { createTransports } from './transports.ts';
import { unifiedDiff } from './unified-diff.ts';
import { readDestination } from './write-file.ts';

export type ProgramSettings = TemplateSettings &
  Parameters<typeof consulOptions>[0] & { readonly api: { readonly address: string; readonly port: number } };

/** Runs the template engine until the signal aborts, or until all is rendered with `-once`. Answers the exit code. */
export async function runTemplates(settings: ProgramSettings, log: Logger, told: AbortSignal): Promise<number> {
  const own = innerSignal(told);
  try {
    return await runUntil(settings, log, own.signal);
  } finally {
    own.end();
  }
}

async function runUntil(settings: ProgramSettings, log: Logger, signal: AbortSignal): Promise<number> {
  const configured = readTemplates(settings);
  if (configured.problems.length > 0) return tellProblems(configured.problems, 2);
  if (settings.parseOnly) return tellProblems(sourceProblems(configured.templates), 1);
  const consul = consulOptions(settings);
  const api = isShort(settings) ? undefined : (await import('./template-api.ts')).createTemplateApi();
  const problems = createProblemBook(log);
  const address = showConsulAddress(consul.address);
  const env = consulEnvironment({ ...settings, address });
  await using transports = createTransports(consul);
  const program = settings.exec === '' || isPreview(settings) ? undefined : await supervised(superviseOptions(settings, env, log), signal);
  await using leadership = createLeadership(transports.transportFor(''), signal);
  let pending = 0;
  const engine = createTemplateEngine(
    {
      holdMs: isPreview(settings) ? 0 : settings.holdMs,
      renderLimitMs: settings.renderLimitMs,
      actionIntervalMs: settings.commandIntervalMs,
      env: process.env,
    },
    {
      transportFor: transports.transportFor,
      apply: async (config, text, isAlone, end) => {
        if (!isPreview(settings)) return await applyText(config, text, { env, isAlone }, end);
        const isPending = await show(config, text, settings.dryRun);
        if (isPending) pending++;
        return { isWritten: false, isActionDue: false };
      },
      runAction: (action, destinations, end) => {
        const run = () => runAction(action, env, end);
        const isForLeader = action.kind === 'command' && action.isForLeader;
        return isForLeader ? leadership.runOnOne(action, destinations, run, end) : run();
      },
      written: () => program?.changed(),
      problems,
      metrics: api?.metrics ?? NOT_COUNTED,
      log,
    },
    signal,
  );
  await api?.serve(settings.api, { engine, address, problems }, signal);
  if (configured.templates.length === 0) log.warn({ config: settings.configs }, 'no template is configured');
  engine.use(configured.templates);
  if (settings.once || settings.dryRun) {
    const code = await runOnce(engine, settings.onceTimeoutMs, signal);
    if (code !== 0 || signal.aborted) return code;
    if (settings.dryRun) return pending > 0 ? 2 : 0;
    return program === undefined ? 0 : await program.run(Promise.resolve());
  }
  onReload(settings, log, signal, () => reload(engine, settings, configured.flags, log, problems));
  await using _ = await writePidFile(settings.pidFile);
  const running = engine.run(signal);
  if (program !== undefined) return await Promise.race([program.run(engine.allWritten(signal)), running.then(() => 0)]);
  await running;
  return 0;
}

/** Over when all is rendered: nobody asks it for its status, and it may run beside one that lasts, on the same port. */
function isShort({ once, dryRun, exec }: ProgramSettings): boolean {
  return dryRun || (once && exec === '');
}

const NOT_COUNTED: TemplateMetrics = { evaluated: () => {}, written: () => {}, current: () => {}, ran: () => {}, round: () => {} };

function isPreview({ dry, dryRun }: ProgramSettings): boolean {
  return dry || dryRun;
}

/** The program of exec mode; what it needs is loaded with it. */
async function supervised(options: SuperviseOptions, signal: AbortSignal) {
  const { createSupervisor, supervise } = await import('./supervise.ts');
  const supervisor = createSupervisor(options, signal);
  return { changed: supervisor.changed, run: (ready: Promise<void>) => supervise(supervisor, ready, signal) };
}

/** What is the supervised program's business, unless it is the templater's by its settings. */
const FORWARDED = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGWINCH', 'SIGCONT', 'SIGALRM'] as const;

function superviseOptions(settings: ProgramSettings, told: Environment, log: Logger): SuperviseOptions {
  return {
    ...{ command: settings.exec, told, log, killSignal: settings.execKillSignal || 'SIGTERM', killTimeoutMs: settings.execKillTimeoutMs },
    ...{ reloadSignal: settings.execReloadSignal, splayMs: settings.execSplayMs },
    forwarded: FORWARDED.filter((name) => name !== settings.reloadSignal && name !== settings.killSignal),
    envRules: {
      ...{ pristine: settings.execEnvPristine, custom: settings.execEnvCustom },
      ...{ allowlist: settings.execEnvAllowlist, denylist: settings.execEnvDenylist },
    },
  };
}

/** Calls `again` at each reload signal; ends at the kill signal, where that is not one that ends every program. */
function onReload({ reloadSignal, killSignal }: ProgramSettings, log: Logger, signal: AbortSignal, again: () => void): void {
  if (reloadSignal !== '') {
    process.on(reloadSignal, again);
    signal.addEventListener('abort', () => process.off(reloadSignal, again));
  }
  if (killSignal === '' || killSignal === 'SIGINT' || killSignal === 'SIGTERM') return;
  const end = () => {
    log.info({ signal: killSignal }, 'told to end');
    process.kill(process.pid, 'SIGTERM');
  };
  process.once(killSignal, end);
  signal.addEventListener('abort', () => process.off(killSignal, end));
}

/** Takes the templates of the configuration as it is now; a wrong one changes nothing. What else it says counts from the next start. */
function reload(engine: TemplateEngine, settings: ProgramSettings, flags: readonly string[], log: Logger, problems: ProblemBook): void {
  const again = readTemplates(settings);
  const late = changedNames(flags, again.flags).map(
    (name) => `${name} has changed: it counts from the next start, templates count at once`,
  );
  const reasons = again.problems.length > 0 ? again.problems.map((reason) => `${reason}; the one before stays`) : late;
  problems.set(
    'configuration',
    reasons.map((reason) => ({ subject: 'configuration', reason })),
  );
  if (again.problems.length > 0) return;
  engine.use(again.templates);
  log.info({ templates: again.templates.length }, 'configuration read again');
}

/** Names of the flags that are not the same in both. */
function changedNames(before: readonly string[], after: readonly string[]): readonly string[] {
  const [was, is] = [new Set(before), new Set(after)];
  const changed = [...was, ...is].filter((flag) => !was.has(flag) || !is.has(flag));
  return [...new Set(changed.map((flag) => flag.replace(/=.*/s, '')))];
}

async function writePidFile(path: string): Promise<AsyncDisposable> {
  if (path === '') return { [Symbol.asyncDispose]: async () => {} };
  await writeFile(path, `${process.pid}\n`).catch((cause: unknown) => {
    throw new OperationError('write file', { subject: path, cause });
  });
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

function tellProblems(problems: readonly string[], code: number): number {
  for (const problem of problems) process.stderr.write(`toots templater: ${problem}\n`);
  return problems.length > 0 ? code : 0;
}

/** All templates there are: those of the flags, then those of the configuration files. */
function readTemplates(settings: ProgramSettings): Configuration {
  const { flags, templates, problems } = readConfiguration(settings.configs, process.cwd());
  const all = [
    ...settings.templates.map((flag) => templateOfFlag(flag, settings)),
    ...templates.map((template) => ({ ...template, wait: template.wait ?? settings.wait })),
  ];
  return { flags, templates: all, problems: [...new Set([...problems, ...destinationProblems(all)])] };
}

function templateOfFlag(
  { source, destination, command }: TemplateSettings['templates'][number],
  { wait }: TemplateSettings,
): TemplateConfig {
  return {
    ...TEMPLATE_DEFAULTS,
    source: { kind: 'file', path: resolve(source) },
    destination: resolve(destination),
    destinationAsGiven: destination,
    wait,
    action: command === undefined ? undefined : { kind: 'command', command, timeoutMs: COMMAND_TIMEOUT_MS, isForLeader: false },
  };
}

/** Prints what would be written; answers whether there is anything. */
async function show({ destination, destinationAsGiven = destination }: TemplateConfig, text: string, asDiff: boolean): Promise<boolean> {
  const bytes = readDestination(destination);
  const before = bytes && textOf(bytes);
  if (before === text) return false;
  process.stdout.write(bytesOf(asDiff ? unifiedDiff(destination, before, text) : `> ${destinationAsGiven}\n${text}`));
  return true;
}
