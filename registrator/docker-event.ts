import * as v from 'valibot';
import { mapOf } from '../daemon/fields.ts';

/** What an event of the engine means to a registrator. All but `died` and `killed` only say: look at this container again. */
export type DockerEvent =
  | { readonly kind: 'changed'; readonly container: string; readonly action: string; readonly atMs: number }
  /** Its process is gone: reliable, unlike the attributes of the event. */
  | { readonly kind: 'died'; readonly container: string; readonly action: string; readonly atMs: number }
  /** A signal was sent to it. A label called `signal` hides the real one. */
  | { readonly kind: 'killed'; readonly container: string; readonly action: string; readonly atMs: number; readonly signal: number };

const CHANGES = new Set([
  'start',
  'restart',
  'pause',
  'unpause',
  'rename',
  'update',
  'stop',
  'oom',
  'health_status',
  'connect',
  'disconnect',
]);
const DEATHS = new Set(['die', 'destroy']);

const line = v.object({
  Type: v.string(),
  Action: v.string(),
  Actor: v.object({ ID: v.string(), Attributes: v.nullish(mapOf(v.string())) }),
  time: v.optional(v.number(), 0),
  timeNano: v.optional(v.number()),
});

/** Reads one line of the event stream, of any engine; undefined for events that say nothing of a container's reachability. @throws ValiError */
export function parseDockerEvent(json: unknown): DockerEvent | undefined {
  const { Type, Action, Actor, time, timeNano } = v.parse(line, json);
  const attributes = Actor.Attributes ?? {};
  const container = Type === 'container' ? Actor.ID : Type === 'network' ? attributes['container'] : undefined;
  if (container === undefined) return undefined;
  const action = Action.split(':')[0] ?? Action;
  const known = { container, action, atMs: timeNano === undefined ? time * 1_000 : timeNano / 1e6 };
  if (Type === 'container' && action === 'kill') return { kind: 'killed', signal: Number(attributes['signal']), ...known };
  if (Type === 'container' && DEATHS.has(action)) return { kind: 'died', ...known };
  return CHANGES.has(action) ? { kind: 'changed', ...known } : undefined;
}
