import { withValues } from '../../model/revised-map.ts';
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
  /** What still has connections and is removed later. */
  readonly lingering: number;
  /** The first command that was answered by anything but success; what HAProxy is then has to be read anew. */
  readonly refused: { readonly command: string; readonly answer: string } | undefined;
  /** Each command with its answer. */
  readonly said: readonly Said[];
}

/** A command without its payload, and what HAProxy answered: nothing, as a rule. */
export interface Said {
  readonly command: string;
  readonly answer: string;
}

/**
 * Tells HAProxy a list of actions and answers what it is then.
 * @throws OperationError when HAProxy does not answer.
 */
export async function applyActions(
  running: RunningEdge,
  actions: readonly EdgeAction[],
  files: EdgeFiles,
  signal: AbortSignal,
): Promise<AppliedActions> {
  const planned = actions.map((action) => ({ action, commands: runtimeCommands(action, files) }));
  const commands = planned.flatMap((one) => one.commands);
  const answers = await ask(files.runtimeSocket, commands, signal);
  const said = commands.map(({ text }, i) => ({ command: text, answer: answers[i] ?? 'no answer' }));
  const next: NextEdge = { ...running };
  const touched: TouchedGroups = new Map();
  let refused: Said | undefined;
  let [at, done, lingering] = [0, 0, 0];
  for (const { action, commands: own } of planned) {
    const no = firstRefused(own, said.slice(at, at + own.length));
    at += own.length;
    if (no === undefined) {
      done += 1;
      become(next, touched, action);
    } else if (stillInUse(action, no.answer)) {
      lingering += 1;
      if (action.kind === 'drop-group') await ask(files.runtimeSocket, [{ text: `publish backend ${action.group}` }], signal);
    } else refused ??= no;
  }
  return { running: { ...next, instances: withValues(next.instances, touched) }, commands: at, done, lingering, refused, said };
}

function firstRefused(commands: readonly RuntimeCommand[], said: readonly Said[]): Said | undefined {
  return said.find(({ answer }, i) => !commands[i]?.done.test(answer));
}

/** A server with connections is not deleted: it stays in maintenance until they are over. So does a backend with requests. */
function stillInUse({ kind }: EdgeAction, answer: string): boolean {
  return (
    (kind === 'remove' && /still has connections/i.test(answer)) || (kind === 'drop-group' && /still has attached streams/i.test(answer))
  );
}

type NextEdge = { -readonly [Key in keyof RunningEdge]: RunningEdge[Key] };
/** The instances of groups that were told something, which are this round's own. */
type TouchedGroups = Map<string, Map<string, RunningInstance>>;

function become(next: NextEdge, touched: TouchedGroups, action: EdgeAction): void {
  switch (action.kind) {
    case 'map': {
      const entries = new Map([...next[action.map], ...action.add, ...action.set]);
      for (const key of action.drop) entries.delete(key);
      next[action.map] = entries;
      return;
    }
    case 'certificate':
      next.certificates = new Map([...next.certificates, [action.name, action.certificate.sha1]]);
      return;
    case 'cookies':
      return;
    case 'open':
      next.closed = next.closed.filter((name) => name !== action.frontend);
      return;
    case 'unthrottle':
      next.throttles = next.throttles.filter(({ undo }) => undo !== action.throttle.undo);
      return;
    case 'add-group':
    case 'drop-group':
      becomeGroup(next, touched, action);
      return;
    default: {
      const ofGroup = touched.get(action.group) ?? new Map(next.instances.get(action.group));
      touched.set(action.group, ofGroup);
      const changed = changedInstance(action, ofGroup);
      if (changed === undefined) ofGroup.delete(nameOf(action));
      else ofGroup.set(nameOf(action), changed);
    }
  }
}

function becomeGroup(next: NextEdge, touched: TouchedGroups, action: Extract<EdgeAction, { kind: 'add-group' | 'drop-group' }>): void {
  if (next.shape === undefined) return;
  const groups = new Map(next.shape.groups);
  const instances = new Map(next.instances);
  if (action.kind === 'add-group') {
    groups.set(action.group, action.section);
    instances.set(action.group, new Map());
  } else {
    groups.delete(action.group);
    instances.delete(action.group);
    touched.delete(action.group);
  }
  next.shape = { ...next.shape, groups };
  next.instances = instances;
}

type InstanceAction = Exclude<EdgeAction, { kind: 'map' | 'certificate' | 'cookies' | 'open' | 'unthrottle' | 'add-group' | 'drop-group' }>;

function nameOf(action: InstanceAction): string {
  return action.kind === 'add' ? action.instance.name : action.name;
}

function changedInstance(action: InstanceAction, ofGroup: ReadonlyMap<string, RunningInstance>): RunningInstance | undefined {
  const before = ofGroup.get(nameOf(action)) ?? { weight: 0, maxConnections: undefined, ready: false };
  if (action.kind === 'add') return runningInstance(action.instance);
  if (action.kind === 'remove') return undefined;
  if (action.kind === 'address') {
    const { moved: _, ...inPlace } = before;
    return inPlace;
  }
  if (action.kind === 'weight') return { ...before, weight: action.weight };
  if (action.kind === 'max-connections') return { ...before, maxConnections: action.maxConnections };
  return { ...before, ready: action.kind === 'ready' };
}
