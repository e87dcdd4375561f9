import { showConsulAddress } from '../consul/address.ts';
import { createAgent } from '../consul/agent.ts';
import { consulOptions } from '../consul/settings.ts';
import { createTransport } from '../consul/transport.ts';
import { live } from '../daemon/live.ts';
import { createLog } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { usageErrors } from '../daemon/settings.ts';
import { VERSION } from '../daemon/version.ts';
import { createDockerEngine } from './docker-engine.ts';
import type { HostPolicy } from './host.ts';
import { adopt, findLeftovers, leftoverLine, planWrites, stepLine, takeSnapshot } from './one-shot.ts';
import { runRegistrator } from './run.ts';
import { program, type RegistratorSettings, readRegistratorSettings } from './settings.ts';

const parsed = readRegistratorSettings(process.argv.slice(2), process.env);
void start().then((code) => process.exit(code));

async function start(): Promise<number> {
  switch (parsed.kind) {
    case 'help':
      process.stdout.write(parsed.text);
      return 0;
    case 'version':
      process.stdout.write(`${VERSION}\n`);
      return 0;
    case 'wrong':
      process.stderr.write(usageErrors(program.name, parsed.problems));
      return 2;
    case 'settings':
      return live((signal) => run(parsed.settings, signal), process.exit).catch((error: unknown) => {
        if (!(error instanceof OperationError)) throw error;
        process.stderr.write(`toots registrator: ${error.message}\n`);
        return 1;
      });
  }
}

async function run(settings: RegistratorSettings, signal: AbortSignal): Promise<number> {
  const { docker, dockerCerts, tags } = settings;
  const isTls = dockerCerts !== '' && !docker.startsWith('unix:') && (settings.dockerTls || !docker.startsWith('http:'));
  const engine = createDockerEngine(docker, { keepsInspection: tags.isDynamic, ...(isTls && { tls: { folder: dockerCerts } }) });
  await using transport = createTransport(consulOptions(settings));
  const agent = createAgent(transport);
  const policyOf = (owner: string) => hostPolicy(settings, owner);
  if (!settings.dryRun && settings.adopt === undefined) {
    const log = createLog('registrator', settings.logLevel);
    log.info({ docker, consul: transport.subject }, 'registrator starts');
    await runRegistrator({ engine, agent, consul: showConsulAddress(settings.consul), policyOf, settings, log }, signal);
    return 0;
  }
  const owner = settings.owner || (await engine.id(signal));
  const snapshot = await takeSnapshot(engine, agent, policyOf(owner), signal);
  if (settings.adopt === undefined) {
    const { writes, problems } = planWrites(snapshot, owner);
    print([
      ...writes.map(stepLine),
      ...problems.map(({ subject, option, reason }) => `problem ${subject}${option === undefined ? '' : ` ${option}`}: ${reason}`),
    ]);
    return 0;
  }
  const { adopt: adoption } = settings;
  const all = findLeftovers(snapshot, settings.hostName);
  const leftovers = adoption === 'take' || adoption === 'remove' ? all.filter(({ kind }) => kind === adoption) : all;
  print(leftovers.map(leftoverLine));
  if (!settings.dryRun && adoption !== 'list') for (const leftover of leftovers) await adopt(leftover, agent, signal);
  return 0;
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.length === 0 ? 'nothing to change\n' : `${lines.join('\n')}\n`);
}

function hostPolicy(settings: RegistratorSettings, owner: string): HostPolicy {
  const { hostName, ip, internal, explicit, addressLabel, tags, mergeTags, filters, nameFrom, deregister, register } = settings;
  const { checkDeregisterAfter } = settings;
  return {
    owner,
    hostName,
    isInternal: internal,
    isExplicit: explicit,
    nameFrom,
    extraTags: tags,
    mergesTags: mergeTags,
    filters,
    deregister,
    register,
    ...(ip !== '' && { hostAddress: ip }),
    ...(addressLabel !== '' && { addressLabel }),
    ...(checkDeregisterAfter !== '' && { checkDeregisterAfter }),
  };
}
