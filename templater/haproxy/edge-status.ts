import { type KnownProblem, toldProblem } from '../../daemon/problem-book.ts';
import type { PlannedEdge } from '../../model/plan-edge.ts';
import type { CertificateInfo } from './certificates.ts';
import type { EdgeSettings } from './edge-settings.ts';
import type { LastRound } from './engine.ts';
import type { Pin } from './pinned-plan.ts';
import type { HaproxyFeatures } from './render.ts';
import type { RunningEdge } from './running-edge.ts';

export interface EdgeStatusParts {
  readonly settings: EdgeSettings;
  readonly features: HaproxyFeatures;
  readonly consul: object;
  readonly planned: PlannedEdge | undefined;
  readonly running: RunningEdge | undefined;
  readonly oldWorkers: number;
  readonly lastRound: LastRound | undefined;
  readonly pinned: Pin | undefined;
  readonly certificates: readonly CertificateInfo[];
  readonly holds: readonly object[];
  readonly problems: readonly KnownProblem[];
}

/** What `GET /status` tells of the edge. Pure. */
export function edgeStatus({
  settings,
  features,
  consul,
  planned,
  running,
  oldWorkers,
  lastRound,
  pinned,
  certificates,
  holds,
  problems,
}: EdgeStatusParts): object {
  return {
    program: 'templater',
    consul,
    haproxy: {
      version: features.version,
      worker: running?.pid ?? null,
      oldWorkers,
      runDir: settings.runDir,
      bind: settings.bind,
      httpPort: settings.httpPort,
      statsPort: settings.statsPort,
    },
    https:
      certificates.length > 0
        ? { port: settings.httpsPort, bound: true, certificates }
        : {
            port: settings.httpsPort,
            bound: false,
            reason:
              settings.certs === '' ? 'no folder of certificates is set (-certs DIR)' : `there is no certificate in ${settings.certs}`,
          },
    lastRound: lastRound ?? null,
    pinned: pinned === undefined ? null : { generation: pinned.generation, since: pinned.since },
    services:
      planned === undefined
        ? []
        : [...planned.plan.groups.values()].map((group) => ({
            service: group.service,
            mode: group.mode,
            instances: group.instances.length,
          })),
    listeners: Object.fromEntries(planned?.plan.listeners ?? []),
    holds,
    problems: problems.map(toldProblem),
  };
}
