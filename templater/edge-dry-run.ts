import { connectConsul } from '../consul/connect.ts';
import { consulOptions } from '../consul/settings.ts';
import { watchCatalog } from '../consul/watch-catalog.ts';
import { innerSignal } from '../daemon/inner-signal.ts';
import type { Logger } from '../daemon/log.ts';
import { OperationError } from '../daemon/operation-error.ts';
import type { Catalog } from '../model/catalog.ts';

import { createPlanner, type PlannedEdge } from '../model/plan-edge.ts';
import { changeOfEdge, type EdgeAction, type EdgeChange } from './haproxy/edge-change.ts';
import { readMemory } from './haproxy/edge-memory.ts';
import { type EdgeSettings, edgeFiles } from './haproxy/edge-settings.ts';
import { EDGE_WATCH } from './haproxy/edge-watch.ts';
import { readFeatures } from './haproxy/haproxy-binary.ts';
import { isThere } from './haproxy/haproxy-process.ts';
import { createListenPorts } from './haproxy/listen-ports.ts';
import { readRunning } from './haproxy/observe.ts';
import { createRenderer } from './haproxy/render.ts';
import { lookUp } from './haproxy/resolver.ts';

const CONSUL_WITHIN_MS = 10_000;

/** Prints what the edge would do now, and does none of it. Answers 0 when there is nothing to do, 2 when there is. @throws OperationError when Consul or HAProxy does not answer. */
export async function dryRunEdge(
  settings: EdgeSettings & Parameters<typeof consulOptions>[0],
  log: Logger,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const files = edgeFiles(settings.runDir);
  const features = await readFeatures(settings.haproxy, signal);
  const catalog = await readCatalog(settings, log, signal);
  const running = (await isThere(files)) ? await readRunning(files, signal) : undefined;
  const planned = await planNow(settings, catalog, running?.shape?.listeners ?? new Map());
  const { shape } = createRenderer(settings, files, features)(planned.plan);
  const change: EdgeChange =
    running === undefined
      ? { actions: [], reasons: ['no HAProxy is running: one would be started'] }
      : changeOfEdge(running, planned.plan, shape, features.addsBackends);
  print(describeDryRun(planned, change));
  return change.actions.length + change.reasons.length === 0 ? 0 : 2;
}

async function readCatalog(settings: Parameters<typeof consulOptions>[0], log: Logger, signal: AbortSignal): Promise<Catalog> {
  await using transport = connectConsul(consulOptions(settings));
  using within = innerSignal(signal, CONSUL_WITHIN_MS);
  for await (const { catalog } of watchCatalog({ transport, ...EDGE_WATCH, log }, within.signal)) return catalog;
  throw new OperationError('read the catalog', { subject: transport.subject, hint: `Consul did not answer within ${CONSUL_WITHIN_MS} ms` });
}

async function planNow(settings: EdgeSettings, catalog: Catalog, open: ReadonlyMap<number, string>): Promise<PlannedEdge> {
  const lastGood = (await readMemory(edgeFiles(settings.runDir).memory))?.lastGood ?? new Map();
  const ports = createListenPorts(settings);
  const plan = createPlanner();
  const policy = { domain: settings.domain, addedDomains: settings.addDomains, resolved: new Map() };
  const first = plan(catalog, { ...policy, refusedPorts: ports.refused() }, lastGood);
  await ports.probe(first, open);
  const resolved = new Map(await Promise.all(first.hostNames.map(async (name) => [name, await lookUp(name)] as const)));
  return plan(catalog, { ...policy, resolved, refusedPorts: ports.refused() }, lastGood);
}

/** The text of a dry run. Pure. */
function describeDryRun({ plan, problems }: PlannedEdge, { actions, reasons }: EdgeChange): string {
  const groups = [...plan.groups.values()].map(
    ({ key, mode, instances }) => `${key}: ${mode}, ${instances.length} ${instances.length === 1 ? 'instance' : 'instances'}`,
  );
  return [
    section(
      `wanted: ${plan.groups.size} groups, ${plan.hosts.size} hosts, ${plan.vhosts.size} virtual hosts, ${plan.paths.size} paths, ${plan.listeners.size} TCP ports`,
      groups,
    ),
    section('would be told to HAProxy at run time:', actions.map(describeAction), 'nothing'),
    section('would reload HAProxy, because:', reasons, 'nothing asks for it'),
    section(
      'problems:',
      problems.map(({ subject, option, value, reason }) =>
        [subject, option, value === undefined ? undefined : JSON.stringify(value), reason].filter((part) => part !== undefined).join(': '),
      ),
      'none',
    ),
  ].join('');
}

function section(title: string, lines: readonly string[], empty = 'none'): string {
  return `${title}\n${(lines.length > 0 ? lines : [empty]).map((line) => `  ${line}\n`).join('')}`;
}

function describeAction(action: EdgeAction): string {
  switch (action.kind) {
    case 'add':
      return `add ${action.group}/${action.instance.name}, weight ${action.instance.weight}`;
    case 'add-group':
    case 'drop-group':
      return `${action.kind} ${action.group}`;
    case 'open':
      return `${action.kind} ${action.frontend}`;
    case 'unthrottle':
      return action.throttle.undo;
    case 'weight':
      return `weight ${action.weight} for ${action.group}/${action.name}`;
    case 'max-connections':
      return `at most ${action.maxConnections} connections for ${action.group}/${action.name}`;
    case 'certificate':
      return `certificate ${action.name}`;
    case 'cookies':
      return `cookies for ${action.group}`;
    case 'map':
      return `${action.map}: ${[...[...action.add].map(([key, group]) => `+${key} → ${group}`), ...[...action.set].map(([key, group]) => `${key} → ${group}`), ...action.drop.map((key) => `-${key}`)].join(', ')}`;
    default:
      return `${action.kind} ${action.group}/${action.name}`;
  }
}
