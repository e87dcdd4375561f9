import { OperationError } from '../../daemon/operation-error.ts';
import type { EdgeAction } from './edge-change.ts';
import type { EdgeFiles } from './edge-settings.ts';
import { type RunningEdge, type RunningInstance, runningInstance } from './running-edge.ts';
import { type RuntimeCommand, runtimeCommands } from './runtime-command.ts';
import { ask } from './runtime-socket.ts';

export interface AppliedActions {
  readonly running: RunningEdge;
  /** How many commands were sent, and how many actions are done. */
  readonly commands: number;
  readonly done: number;
  /** Instances that still have connections and are removed later. */
  readonly lingering: number;
}

/**
 * Tells HAProxy a list of actions and answers what it is then.
 * @throws OperationError when HAProxy does not answer, or answers anything but success; what it is then has to be read anew.
 */
export async function applyActions(
  running: RunningEdge,
  actions: readonly EdgeAction[],
  files: EdgeFiles,
  signal: AbortSignal,
): Promise<AppliedActions> {
  const planned = actions.map((action) => ({ action, commands: runtimeCommands(action, files) }));
  const answers = await ask(
    files.runtimeSocket,
    planned.flatMap(({ commands }) => commands),
    signal,
  );
  const instances = new Map(running.instances);
  const next = { ...running, instances, hosts: running.hosts, vhosts: running.vhosts, paths: running.paths };
  let [at, done, lingering] = [0, 0, 0];
  for (const { action, commands } of planned) {
    const refused = firstRefused(commands, answers.slice(at, at + commands.length));
    at += commands.length;
    if (refused !== undefined && !stillInUse(action, refused.answer))
      throw new OperationError('tell HAProxy', { subject: refused.text, hint: refused.answer.slice(0, 300) });
    if (refused !== undefined) lingering += 1;
    else {
      done += 1;
      become(next, action);
    }
  }
  return { running: next, commands: at, done, lingering };
}

function firstRefused(commands: readonly RuntimeCommand[], answers: readonly string[]): { text: string; answer: string } | undefined {
  const i = commands.findIndex(({ done }, index) => !done.test(answers[index] ?? 'no answer'));
  return i < 0 ? undefined : { text: commands[i]?.text ?? '', answer: answers[i] ?? 'no answer' };
}

/** A server with connections is not deleted: it stays in maintenance until they are over. */
function stillInUse({ kind }: EdgeAction, answer: string): boolean {
  return kind === 'remove' && /still has connections/i.test(answer);
}

/** Mutates `next`, whose maps are this round's own once they were touched. */
function become(
  next: {
    instances: Map<string, ReadonlyMap<string, RunningInstance>>;
    hosts: ReadonlyMap<string, string>;
    vhosts: ReadonlyMap<string, string>;
    paths: ReadonlyMap<string, string>;
    certificates: ReadonlyMap<string, string>;
  },
  action: EdgeAction,
): void {
  if (action.kind === 'map') {
    const entries = new Map([...next[action.map], ...action.add, ...action.set]);
    for (const key of action.drop) entries.delete(key);
    next[action.map] = entries;
    return;
  }
  if (action.kind === 'certificate') {
    next.certificates = new Map([...next.certificates, [action.name, action.certificate.sha1]]);
    return;
  }
  if (action.kind === 'cookies') return;
  const ofGroup = new Map(next.instances.get(action.group));
  next.instances.set(action.group, ofGroup);
  const changed = changedInstance(action, ofGroup);
  if (changed === undefined) ofGroup.delete(nameOf(action));
  else ofGroup.set(nameOf(action), changed);
}

type InstanceAction = Exclude<EdgeAction, { kind: 'map' | 'certificate' | 'cookies' }>;

function nameOf(action: InstanceAction): string {
  return action.kind === 'add' ? action.instance.name : action.name;
}

function changedInstance(action: InstanceAction, ofGroup: ReadonlyMap<string, RunningInstance>): RunningInstance | undefined {
  const before = ofGroup.get(nameOf(action)) ?? { weight: 0, maxConnections: undefined, ready: false };
  if (action.kind === 'add') return runningInstance(action.instance);
  if (action.kind === 'remove') return undefined;
  if (action.kind === 'weight') return { ...before, weight: action.weight };
  if (action.kind === 'max-connections') return { ...before, maxConnections: action.maxConnections };
  return { ...before, ready: action.kind === 'ready' };
}
