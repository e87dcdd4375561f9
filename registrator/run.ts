import type { ConsulAgent } from '../consul/agent.ts';
import { META } from '../consul/registration.ts';
import { createMetrics, serveApi } from '../daemon/api.ts';
import { backoffMs } from '../daemon/backoff.ts';
import type { Logger } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import { createProblemBook } from '../daemon/problem-book.ts';
import { sleep } from '../daemon/sleep.ts';
import type { DockerEngine } from './docker-engine.ts';
import { LEFT } from './hold.ts';
import { createHost, type HostPolicy } from './host.ts';
import { addGauges, createRegistratorMetrics } from './metrics.ts';
import { observe } from './observe.ts';
import { resyncTimes } from './resync-times.ts';
import type { RegistratorSettings } from './settings.ts';
import { settle } from './settle.ts';
import { countServices, statusOf } from './status.ts';
import { askFor } from './web-answers.ts';

/** Problems are told at most this often, milliseconds. */
const TELL_PROBLEMS_EVERY_MS = 100;
const SHUTDOWN_WITHIN_MS = 3_500;

export interface RunOptions {
  readonly engine: DockerEngine;
  readonly agent: ConsulAgent;
  /** Where the agent is, for status. */
  readonly consul: string;
  /** Once the owner is known. */
  readonly policyOf: (owner: string) => HostPolicy;
  readonly settings: Pick<RegistratorSettings, 'owner' | 'api' | 'resync' | 'shutdown' | 'deregister' | 'tags'>;
  readonly log: Logger;
}

/** Runs the registrator until the signal aborts: Docker's events in, writes to the agent out. */
export async function runRegistrator({ engine, agent, consul, policyOf, settings, log }: RunOptions, signal: AbortSignal): Promise<void> {
  const registry = createMetrics('registrator');
  const metrics = createRegistratorMetrics(registry);
  const book = createProblemBook(log);
  const told = {
    notReady: () => 'waiting for the Docker engine' as string | undefined,
    status: (): object => ({ problems: [], holds: [] }),
  };
  await serveApi(settings.api, { notReady: () => told.notReady(), status: () => told.status(), metrics: registry }, signal);

  const owner = settings.owner || (await engineId(engine, log, signal));
  if (signal.aborted) return;
  let hasNews = true;
  const onProblems = () => {
    hasNews = true;
  };
  const host = createHost(policyOf(owner), (containerId, serviceIds) => {
    settlement.containerChanged(containerId, serviceIds);
    hasNews = true;
  });
  const settlement = settle({ agent, host, owner, log, metrics, onAgent: host.setAgent, onProblems }, signal);
  const observation = observe(
    {
      engine,
      host,
      includesEnded: settings.deregister === 'on-success',
      log,
      metrics,
      onProblems,
      registeredOf: settlement.registeredOf,
      askWeb: ({ inspection }, known) => askFor(settings.tags, inspection, known, signal),
    },
    signal,
  );
  const parts = { owner, engine, consul, host, settlement, observation, book };
  told.notReady = () => whyNotReady(parts);
  told.status = () => statusOf(parts);
  addGauges(registry, {
    containers: () => host.containerIds().length,
    pending: () => observation.pending() + settlement.pending(),
    problems: () => book.list().length,
    dockerLost: observation.lost,
    consulLost: settlement.lost,
    services: () => countServices(parts),
    lastRound: settlement.lastRound,
  });

  const tellProblems = async () => {
    while (!signal.aborted) {
      if (hasNews) {
        hasNews = false;
        book.set('containers', host.problems());
        book.set(
          'docker',
          [...observation.failing()].map(([id, reason]) => ({
            subject: host.container(id)?.name ?? id,
            reason: `${reason}; it is tried again`,
          })),
        );
        book.set('consul', [...settlement.problems().values()]);
      }
      await sleep(TELL_PROBLEMS_EVERY_MS, signal);
    }
  };
  const resync = async () => {
    for await (const _ of resyncTimes(settings.resync, signal)) {
      await observation.resync().catch((error: unknown) => log.warn({ err: error }, 'resync failed, docker is followed by its events'));
    }
  };
  await Promise.all([observation.run(), settlement.run(), tellProblems(), resync()]);
  await leave(settings.shutdown, agent, owner, log);
}

type Parts = Parameters<typeof statusOf>[0];

function whyNotReady({ host, settlement, observation }: Parts): string | undefined {
  return (
    observation.lost() ??
    settlement.lost() ??
    (host.isComplete(observation.failing()) ? undefined : 'not every container has been inspected yet')
  );
}

async function engineId(engine: DockerEngine, log: Logger, signal: AbortSignal): Promise<string> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await engine.id(signal);
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof OperationError)) throw error;
      if (failures === 1) log.warn({ err: error }, 'waiting for docker');
      await sleep(backoffMs(failures, 50, 2_000), signal);
    }
  }
  return '';
}

/** What becomes of the services when the program ends. */
async function leave(shutdown: RegistratorSettings['shutdown'], agent: ConsulAgent, owner: string, log: Logger): Promise<void> {
  if (shutdown === 'keep') return;
  const signal = AbortSignal.timeout(SHUTDOWN_WITHIN_MS);
  try {
    const own = [...(await agent.registered(signal)).values()].filter(({ meta }) => meta[META.owner] === owner);
    await Promise.all(own.map(({ id }) => (shutdown === 'deregister' ? agent.deregister(id, signal) : agent.maintain(id, LEFT, signal))));
    log.info({ shutdown, services: own.length }, 'left consul');
  } catch (error) {
    log.warn({ err: error, shutdown }, 'consul could not be left as asked');
  }
}
