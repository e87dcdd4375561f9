import type { ConsulAddress } from '../../consul/address.ts';
import { createAlarm } from '../../daemon/alarm.ts';
import { coalesce } from '../../daemon/coalesce.ts';
import type { Logger } from '../../daemon/log.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import type { ProblemBook } from '../../daemon/problem-book.ts';
import { sleep } from '../../daemon/sleep.ts';
import type { Catalog } from '../../model/catalog.ts';
import type { EdgePlan } from '../../model/edge.ts';
import type { Resolved } from '../../model/edge-instances.ts';
import { createPlanner, type LastGood, type PlannedEdge } from '../../model/plan-edge.ts';
import type { Said } from './apply-actions.ts';
import { refusedCertificates } from './certificate-check.ts';
import { type CertificateInfo, createCertificateStore } from './certificates.ts';
import { changeOfEdge } from './edge-change.ts';
import type { EdgeMetrics } from './edge-metrics.ts';
import { type EdgeSettings, edgeFiles } from './edge-settings.ts';
import { fileLimitProblems } from './file-limit.ts';
import { createFiling } from './filing.ts';
import { createHaproxyControl } from './haproxy-control.ts';
import type { History } from './history.ts';
import { createListenPorts } from './listen-ports.ts';
import { type Pin, pinnedPlan } from './pinned-plan.ts';
import { createRenderer, type HaproxyFeatures } from './render.ts';
import { createResolver } from './resolver.ts';
import type { RunningEdge } from './running-edge.ts';
import { reloadReasons } from './shape.ts';
import { shortened } from './shortened.ts';
import { createValidConfig } from './valid-config.ts';

/** What a round of the engine did. */
export interface Done {
  readonly did: 'nothing' | 'started' | 'runtime' | 'reload' | 'failed';
  /** Runtime API commands sent. */
  readonly commands: number;
  /** Why HAProxy was, or has to be, reloaded. */
  readonly reasons: readonly string[];
  /** What it was told, and answered. */
  readonly said: readonly Said[];
}

/** The last round that did something, for /status. */
export interface LastRound extends Omit<Done, 'said'> {
  readonly at: string;
  readonly ms: number;
  readonly why: readonly string[];
}

export interface EdgeEngine {
  /** Takes the newest catalog; those that it did not get to are skipped. */
  readonly follow: (catalog: Catalog, why: string) => void;
  /** Keeps the edge at an earlier plan, with the instances that live; undefined lets it follow the catalog again. */
  readonly pin: (pin: Pin | undefined) => void;
  /** Keeps HAProxy true to the catalog until the signal aborts. HAProxy goes on after that. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly status: () => {
    readonly catalog: Catalog | undefined;
    readonly planned: PlannedEdge | undefined;
    readonly resolved: Resolved;
    readonly certificates: readonly CertificateInfo[];
    readonly running: RunningEdge | undefined;
    readonly oldWorkers: number;
    readonly lastRound: LastRound | undefined;
    readonly pinned: Pin | undefined;
  };
}

export interface EdgeEngineParts {
  readonly settings: EdgeSettings & { readonly consul?: ConsulAddress };
  readonly features: HaproxyFeatures;
  readonly problems: ProblemBook;
  readonly metrics: EdgeMetrics;
  /** The rules that services had without a fault when the program last ran. */
  readonly lastGood: LastGood;
  readonly pinned: Pin | undefined;
  readonly history: Pick<History, 'add'>;
  readonly log: Logger;
}

const ALIVE_EVERY_MS = 250;
const DRIFT_EVERY_MS = 5_000;
/** How long instances with connections, busy ports and failed rounds wait for the next try, milliseconds. */
const AGAIN_MS = 1_000;
const CERTIFICATES_EVERY_MS = 2_000;
const LOOK_FOR_DRIFT = 'look for drift';

/** Makes the engine of an edge: one round at a time, each from the newest catalog and from what HAProxy is. */
export function createEdgeEngine({ history, log, ...parts }: EdgeEngineParts): EdgeEngine {
  const { settings, features, problems, metrics } = parts;
  const files = edgeFiles(settings.runDir);
  const makePlan = createPlanner();
  const haproxy = createHaproxyControl({ settings, metrics, log });
  const config = createValidConfig(settings, createRenderer(settings, files, features), haproxy.fingerprint);
  const filing = createFiling({
    keep: (edge) => config.keep(edge, stop),
    onDisk: config.onDisk,
    done: (outcome) => {
      problems.set('files', 'error' in outcome ? [{ subject: 'edge', reason: outcome.error.message }] : []);
      problems.set('config', config.problems());
      if ('isValid' in outcome && !outcome.isValid) rounds.tell('HAProxy refuses a section');
    },
  });
  const resolver = createResolver(() => rounds.tell('a host name was looked up'));
  const ports = createListenPorts(settings);
  const certificates = createCertificateStore(settings.certs, files, (pems) => refusedCertificates(settings.haproxy, files, pems, stop));
  const rounds = coalesce<string>((why) => round(why));
  const alarm = createAlarm(rounds.tell);
  let stop: AbortSignal = new AbortController().signal;
  let catalog: Catalog | undefined;
  let lastGood: LastGood = parts.lastGood;
  let pinned: Pin | undefined = parts.pinned;
  let planned: PlannedEdge | undefined;
  let lastRound: LastRound | undefined;
  /** When the oldest catalog that HAProxy does not have yet was told, by the clock of `performance`. */
  let toldAt: number | undefined;
  /** Causes of rounds that did not do all there was to do. */
  let unfinished: readonly string[] = [];

  async function round(heard: readonly string[]): Promise<void> {
    if (catalog === undefined) return;
    const started = performance.now();
    alarm.off();
    const why = [...unfinished, ...heard];
    const since = toldAt;
    toldAt = undefined;
    const done = await reconcile(catalog, heard.includes(LOOK_FOR_DRIFT)).catch(failed);
    unfinished = isUnfinished(done) ? [...new Set(why)].slice(0, MOST_CAUSES) : [];
    if (isUnfinished(done)) toldAt = since ?? toldAt;
    if (stop.aborted) return;
    const ms = performance.now() - started;
    metrics.round(done.did, ms, done.commands);
    if (since !== undefined && done.did !== 'nothing' && !isUnfinished(done)) metrics.followed(performance.now() - since);
    if (done.did === 'nothing' && done.reasons.length === 0) return;
    const { said, reasons, ...rest } = done;
    const told = { why: shortened(why, TOLD_CAUSES), reasons: shortened(reasons, TOLD_REASONS) };
    lastRound = { at: new Date().toISOString(), ms: Math.round(ms * 10) / 10, ...told, ...rest };
    log.info(lastRound, 'round');
    if (done.did !== 'nothing' && done.did !== 'failed' && planned !== undefined) history.add({ ...lastRound, said }, planned.plan);
  }

  function failed(error: unknown): Done {
    const done: Done = { did: 'failed', commands: 0, reasons: [], said: [] };
    if (stop.aborted) return done;
    if (!(error instanceof OperationError)) throw error;
    log.error({ err: error }, 'the round failed, HAProxy keeps what it has');
    problems.set('apply', [
      { subject: 'edge', reason: `${error.message}; HAProxy keeps what it has, and this is tried again every second` },
    ]);
    alarm.in(AGAIN_MS, 'the last round failed');
    return done;
  }

  async function reconcile(wanted: Catalog, look: boolean): Promise<Done> {
    const before = await haproxy.know(look, stop);
    planned = await planWithPorts(wanted, before?.shape?.listeners ?? new Map());
    lastGood = planned.lastGood;
    problems.set('plan', planned.problems);
    resolver.need(planned.hostNames);
    const done = before === undefined ? await start(planned) : await change(before, planned);
    problems.set('config', config.problems());
    problems.set('certificates', certificates.problems());
    problems.set('apply', []);
    const now = haproxy.running();
    if (now !== undefined) problems.set('file limit', fileLimitProblems(now.limit));
    return done;
  }

  /** Ports that others have are only found by trying; then their claims are refused and the plan is made again. */
  async function planWithPorts(wanted: Catalog, open: ReadonlyMap<number, string>): Promise<PlannedEdge> {
    const { domain, addDomains: addedDomains } = settings;
    const policyOf = () => ({
      domain,
      addedDomains,
      refusedPorts: ports.refused(),
      resolved: resolver.known(),
      certificates: certificates.certificates(),
    });
    const first = makePlan(wanted, policyOf(), lastGood);
    const changed = await ports.probe(first, open);
    if (ports.waiting()) alarm.in(AGAIN_MS, 'a port may be free again');
    const now = changed ? makePlan(wanted, policyOf(), lastGood) : first;
    return pinned === undefined ? now : { ...now, plan: await pinnedWithPorts(pinned.plan, now, open) };
  }

  async function pinnedWithPorts(then: EdgePlan, now: PlannedEdge, open: ReadonlyMap<number, string>): Promise<EdgePlan> {
    const plan = pinnedPlan(then, now.plan);
    await ports.probe({ ...now, plan }, open);
    return { ...plan, listeners: new Map([...plan.listeners].filter(([port]) => !ports.refused().has(port))) };
  }

  async function start({ plan }: PlannedEdge): Promise<Done> {
    config.distrust();
    const valid = await filing.now(config.render(plan));
    await haproxy.start(valid.plan, valid.rendered, stop);
    return { did: 'started', commands: 0, reasons: ['no HAProxy was running'], said: [] };
  }

  /** What can be told at run time first, as it is the quickest; then the reload, if there must be one; the files wait for neither. */
  async function change(before: RunningEdge, { plan }: PlannedEdge): Promise<Done> {
    const edge = config.render(plan);
    const { actions, reasons: shapeReasons } = changeOfEdge(before, edge.plan, edge.rendered.shape, features.addsBackends);
    const told = actions.length === 0 ? undefined : await haproxy.tell(before, actions, stop);
    if ((told?.lingering ?? 0) > 0) alarm.in(AGAIN_MS, 'instances finish their connections');
    if (features.addsBackends && actions.some((action) => action.kind === 'remove' && !edge.plan.groups.has(action.group)))
      alarm.in(AGAIN_MS, 'a group is empty');
    const commands = told === undefined || told.done === 0 ? 0 : told.commands;
    const refused = told?.refused === undefined ? [] : [`HAProxy did not take "${told.refused.command}": ${told.refused.answer}`];
    const reasons = [...shapeReasons, ...refused];
    const waitMs = reasons.length === 0 ? 0 : await haproxy.waitBeforeReload(stop);
    if (waitMs > 0) alarm.in(waitMs, 'a reload is due');
    const done: Done = { did: commands > 0 ? 'runtime' : 'nothing', commands, reasons, said: told?.said ?? [] };
    if (reasons.length === 0 || waitMs > 0) {
      filing.later(edge);
      return done;
    }
    const valid = await filing.now(edge);
    const due = valid === edge ? reasons : [...reloadReasons((told?.running ?? before).shape, valid.rendered.shape), ...refused];
    if (due.length === 0) return { ...done, reasons: due };
    await haproxy.reload(valid.plan, valid.rendered, stop).catch((error: unknown) => {
      config.distrust();
      throw error;
    });
    return { ...done, did: 'reload', reasons: due };
  }

  async function lookAfter(signal: AbortSignal): Promise<void> {
    let lookedAt = performance.now();
    while (!signal.aborted) {
      await sleep(ALIVE_EVERY_MS, signal);
      if (performance.now() - lookedAt < DRIFT_EVERY_MS && !(await haproxy.hasEnded())) continue;
      lookedAt = performance.now();
      rounds.tell(LOOK_FOR_DRIFT);
    }
  }

  /** A folder that cannot be read is a problem; what was read before is served on. */
  async function readCertificates(): Promise<boolean> {
    try {
      const changed = await certificates.read();
      problems.set('certificate folder', []);
      return changed;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      problems.set('certificate folder', [{ subject: 'edge', option: 'certs', value: settings.certs, reason: error.message }]);
      return false;
    }
  }

  async function followCertificates(signal: AbortSignal): Promise<void> {
    while (settings.certs !== '' && !signal.aborted) {
      await sleep(CERTIFICATES_EVERY_MS, signal);
      if (await readCertificates()) rounds.tell('the certificates changed');
    }
  }

  return {
    follow: (newest, why) => {
      catalog = newest;
      toldAt ??= performance.now();
      rounds.tell(why);
    },
    pin: (pin) => {
      pinned = pin;
      rounds.tell(pin === undefined ? 'released by hand' : `taken back by hand to generation ${pin.generation}`);
    },
    run: async (signal) => {
      stop = signal;
      await readCertificates();
      await Promise.all([rounds.run(signal), lookAfter(signal), followCertificates(signal)]);
      await filing.flush().catch((err: unknown) => log.warn({ err }, 'the last changes are in HAProxy, not in its files'));
    },
    status: () => ({
      catalog,
      planned,
      certificates: certificates.list(),
      resolved: resolver.known(),
      running: haproxy.running(),
      oldWorkers: haproxy.oldWorkers(),
      lastRound,
      pinned,
    }),
  };
}

/** Whether it failed, or the reload that it wants has to wait. */
function isUnfinished({ did, reasons }: Done): boolean {
  return did === 'failed' || ((did === 'nothing' || did === 'runtime') && reasons.length > 0);
}

/** How many causes are remembered for the round that does the rest. */
const MOST_CAUSES = 100;

/** How many causes of a round are told. */
const TOLD_CAUSES = 5;

/** How many reasons of a reload are told: a service may bring a thousand ports. */
const TOLD_REASONS = 50;
