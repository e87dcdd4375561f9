import { constants } from 'node:os';
import type { Container } from './container.ts';

/** All that is known of one container's life: what inspections and events have told, in the order they were asked and came. */
export interface Track {
  /** The last inspection. */
  readonly seen?: { readonly container: Container; readonly asked: Moment };
  /** When the engine was asked and knew no such container. */
  readonly missing?: Moment;
  /** When the last `die` came. */
  readonly died?: Moment;
  /** The last signal of each kind. */
  readonly signals: readonly SentSignal[];
}

/** A point in the order of things that came to us, and our clock then. */
export interface Moment {
  readonly order: number;
  readonly ms: number;
}

export interface SentSignal {
  readonly signal: number;
  /** By the engine's clock. */
  readonly sentMs: number;
  /** By ours. */
  readonly heardMs: number;
}

export type Stimulus =
  | { readonly kind: 'inspected'; readonly container: Container; readonly asked: Moment }
  | { readonly kind: 'missing'; readonly asked: Moment }
  | { readonly kind: 'died'; readonly heard: Moment }
  | ({ readonly kind: 'killed' } & SentSignal);

/** What a container is at a moment. */
export type Phase =
  /** Not inspected yet. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'up' }
  | { readonly kind: 'paused' }
  /** Told to stop, by a signal unless it is dead already. `untilMs` by our clock: if it runs after that, it has survived. */
  | { readonly kind: 'draining'; readonly untilMs: number; readonly sent?: SentSignal }
  /** Ended with an error, and is to stay registered for that. */
  | { readonly kind: 'failed'; readonly exitCode: number }
  | { readonly kind: 'gone' };

export type DeregisterPolicy = 'always' | 'on-success';

export const UNSEEN: Track = { signals: [] };

/** How long after its StopTimeout a container may still be about to die, milliseconds. */
const STOP_GRACE_MS = 2_000;

/** These end a container that does not say otherwise, whatever its own stop signal is. */
const STOP_SIGNALS = [constants.signals.SIGTERM, constants.signals.SIGINT, constants.signals.SIGQUIT, constants.signals.SIGKILL];

/** Pure: the track after something was learned. What is older than what is known changes nothing. */
export function learn(track: Track, stimulus: Stimulus): Track {
  switch (stimulus.kind) {
    case 'inspected': {
      if (isOlder(stimulus.asked, track)) return track;
      const { missing: _, ...rest } = track;
      return { ...rest, seen: { container: stimulus.container, asked: stimulus.asked } };
    }
    case 'missing':
      return isOlder(stimulus.asked, track) ? track : { ...track, missing: stimulus.asked };
    case 'died':
      return { ...track, died: stimulus.heard };
    case 'killed': {
      const { kind: _, ...sent } = stimulus;
      return { ...track, signals: [...track.signals.filter(({ signal }) => signal !== sent.signal), sent] };
    }
  }
}

function isOlder(asked: Moment, { seen, missing }: Track): boolean {
  return asked.order < Math.max(seen?.asked.order ?? 0, missing?.order ?? 0);
}

/**
 * Pure: what the container is. The state is that of the last inspection, but for two things that no inspection tells in time:
 *
 *   heard since the inspection was asked for   while the inspection says   it is
 *   ----------------------------------------   -------------------------   ------------------------------------------
 *   die                                        anything                    gone (with on-success: ended, until inspected)
 *   stop signal, of this life                  running                     draining, until StopTimeout and a little are over
 */
export function phaseOf(track: Track, policy: DeregisterPolicy): Phase {
  const { seen, missing, died } = track;
  if (missing !== undefined) return { kind: 'gone' };
  const hasDied = died !== undefined && died.order > (seen?.asked.order ?? 0);
  if (hasDied && policy === 'always') return { kind: 'gone' };
  if (seen === undefined) return { kind: 'unknown' };
  if (hasDied) return { kind: 'draining', untilMs: Number.POSITIVE_INFINITY };
  const { state } = seen.container;
  if (!state.isRunning) return endedPhase(state.exitCode, policy);
  const drain = drainOf(track.signals, seen.container);
  if (drain !== undefined && seen.asked.ms < drain.untilMs) return { kind: 'draining', ...drain };
  return state.isPaused ? { kind: 'paused' } : { kind: 'up' };
}

/** Its process is there. */
export function isLive({ kind }: Phase): boolean {
  return kind === 'up' || kind === 'paused' || kind === 'draining';
}

/** No process outlives SIGKILL, and `die` comes only when its network and file system are taken down: 20 ms and more later. */
export function isKilled(phase: Phase): boolean {
  return phase.kind === 'draining' && phase.sent?.signal === constants.signals.SIGKILL;
}

/** 0, and death by a signal, are no failure. */
function endedPhase(exitCode: number, policy: DeregisterPolicy): Phase {
  const isSuccess = exitCode === 0 || (exitCode > 128 && exitCode < 160);
  return policy === 'always' || isSuccess ? { kind: 'gone' } : { kind: 'failed', exitCode };
}

/** The last stop signal of this life. A label `signal` hides the signal of every event of its container: nothing is believed then. */
function drainOf(signals: readonly SentSignal[], { labels, state, stopSignal, stopTimeoutMs }: Container) {
  if ('signal' in labels) return undefined;
  const stopping = new Set([...STOP_SIGNALS, signalNumber(stopSignal)]);
  const [sent] = signals
    .filter(({ signal, sentMs }) => stopping.has(signal) && sentMs >= state.startedAtMs)
    .sort((a, b) => b.heardMs - a.heardMs);
  return sent === undefined ? undefined : { untilMs: sent.heardMs + stopTimeoutMs + STOP_GRACE_MS, sent };
}

/** `SIGUSR1`, `USR1`, `10`, `RTMIN+3`; NaN for what is none. */
export function signalNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const name = text.toUpperCase().replace(/^SIG/, '');
  const [, base, sign, offset] = /^(RTMIN|RTMAX)(?:([+-])(\d+))?$/.exec(name) ?? [];
  if (base !== undefined) return (base === 'RTMIN' ? 34 : 64) + Number(`${sign ?? '+'}${offset ?? 0}`);
  return Object.entries(constants.signals).find(([known]) => known === `SIG${name}`)?.[1] ?? Number.NaN;
}
