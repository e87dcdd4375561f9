import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type DeregisterPolicy,
  learn,
  phaseOf,
  type SentSignal,
  type Stimulus,
  signalNumber,
  type Track,
  UNSEEN,
} from '../../registrator/lifecycle.ts';
import type { InspectedContainer } from '../harness/inspection.ts';
import { aContainer } from './a-container.ts';

/** When the container of these tests was started, and began to be known. */
const STARTED = Date.parse('2026-01-01T00:00:01.123Z');
const [TERM, HUP, KILL, USR1] = [15, 1, 9, 10];

const inspected = (order: number, given: InspectedContainer = {}, ms = STARTED + order): Stimulus => ({
  kind: 'inspected',
  container: aContainer(given),
  asked: { order, ms },
});
const died = (order: number): Stimulus => ({ kind: 'died', heard: { order, ms: STARTED + order } });
const killed = (signal: number, afterMs: number): Stimulus => ({
  kind: 'killed',
  signal,
  sentMs: STARTED + afterMs,
  heardMs: STARTED + afterMs,
});
const track = (...stimuli: Stimulus[]): Track => stimuli.reduce(learn, UNSEEN);
const phase = (...stimuli: Stimulus[]) => phaseOf(track(...stimuli), 'always').kind;

test.each<[string, Stimulus[], string]>([
  ['nothing known', [], 'unknown'],
  ['running', [inspected(1)], 'up'],
  ['paused', [inspected(1, { state: 'paused' })], 'paused'],
  ['ended', [inspected(1, { state: 'exited' })], 'gone'],
  ['waiting for its restart policy', [inspected(1, { state: 'restarting' })], 'gone'],
  ['not there', [{ kind: 'missing', asked: { order: 1, ms: STARTED } }], 'gone'],
  ['dead before any inspection', [died(1)], 'gone'],
  ['dead since the inspection', [inspected(1), died(2)], 'gone'],
  ['inspected since the death', [died(1), inspected(2)], 'up'],
  ['asked before the death, answered after it', [died(2), inspected(1)], 'gone'],
  ['an older answer after a newer one', [inspected(2, { state: 'paused' }), inspected(1)], 'paused'],
  ['started again after it was not there', [{ kind: 'missing', asked: { order: 1, ms: STARTED } }, inspected(2)], 'up'],
])('%s', (_, stimuli, kind) => {
  expect(phase(...stimuli)).toBe(kind);
});

test.each<[string, number, InspectedContainer, string]>([
  ['TERM', TERM, {}, 'draining'],
  ['KILL', KILL, {}, 'draining'],
  ['HUP', HUP, {}, 'up'],
  ['its own stop signal', USR1, { stopSignal: 'SIGUSR1' }, 'draining'],
  ['TERM, though its own is another', TERM, { stopSignal: 'SIGUSR1' }, 'draining'],
  ['another than its own', USR1, { stopSignal: 'SIGWINCH' }, 'up'],
  ['a signal that a label names', TERM, { labels: { signal: '15' } }, 'up'],
  ['TERM to a paused one', TERM, { state: 'paused' }, 'draining'],
])('%s', (_, signal, given, kind) => {
  expect(phase(inspected(1, given), killed(signal, 100))).toBe(kind);
});

test('HUP after TERM does not end the drain', () => {
  expect(phase(inspected(1), killed(TERM, 100), killed(HUP, 200))).toBe('draining');
});

test('a signal of an earlier life is nothing to this one', () => {
  expect(phase(killed(TERM, -100), inspected(1))).toBe('up');
});

test('a signal that was heard before the first inspection counts', () => {
  expect(phase(killed(TERM, 100), inspected(1))).toBe('draining');
});

test('healthy, learned while it drains, does not bring it back', () => {
  expect(phase(inspected(1, { health: 'starting' }), killed(TERM, 100), inspected(2, { health: 'healthy' }, STARTED + 5_000))).toBe(
    'draining',
  );
});

test('who runs after StopTimeout and a little has survived; only an inspection tells', () => {
  const draining = track(inspected(1, { stopTimeout: 3 }), killed(TERM, 100));
  const inspectedAfter = (ms: number) => phaseOf(learn(draining, inspected(2, { stopTimeout: 3 }, STARTED + ms)), 'always');

  expect(phaseOf(draining, 'always')).toMatchObject({ kind: 'draining', untilMs: STARTED + 100 + 3_000 + 2_000, sent: { signal: TERM } });
  expect(inspectedAfter(5_099).kind).toBe('draining');
  expect(inspectedAfter(5_100).kind).toBe('up');
});

test('a second stop begins the time anew', () => {
  expect(phaseOf(track(inspected(1), killed(TERM, 100), killed(KILL, 8_000)), 'always')).toMatchObject({
    kind: 'draining',
    untilMs: STARTED + 20_000,
    sent: { signal: KILL },
  });
});

test.each<[number, string]>([
  [0, 'gone'],
  [1, 'failed'],
  [127, 'failed'],
  [128, 'failed'],
  [137, 'gone'],
  [143, 'gone'],
  [255, 'failed'],
])('on-success, exit code %i: %s', (exitCode, kind) => {
  expect(phaseOf(track(inspected(1, { state: 'exited', exitCode })), 'on-success').kind).toBe(kind);
});

test('on-success, dead and not inspected yet: it gets nothing new, and stays', () => {
  expect(phaseOf(track(inspected(1), died(2)), 'on-success')).toEqual({ kind: 'draining', untilMs: Number.POSITIVE_INFINITY });
});

test.each([
  ['SIGTERM', 15],
  ['quit', 3],
  ['28', 28],
  ['SIGRTMIN+3', 37],
  ['RTMAX-1', 63],
])('%s is %i', (text, number) => {
  expect(signalNumber(text)).toBe(number);
});

test('a name that is no signal is none', () => {
  expect(signalNumber('SIGNOPE')).toBeNaN();
});

// ---- any order of anything: what counts in the end is what the last inspection says

const state = fc.record({
  state: fc.constantFrom('running' as const, 'paused' as const, 'exited' as const, 'restarting' as const),
  exitCode: fc.constantFrom(0, 1, 137),
});
const moment = fc.nat({ max: 60_000 });

const stimulus: fc.Arbitrary<Stimulus> = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 1_000 }), state, moment).map(([order, given, ms]) => inspected(order, given, STARTED + ms)),
  fc
    .tuple(fc.integer({ min: 1, max: 1_000 }), moment)
    .map(([order, ms]): Stimulus => ({ kind: 'missing', asked: { order, ms: STARTED + ms } })),
  fc.integer({ min: 1, max: 1_000 }).map(died),
  fc.tuple(fc.constantFrom(TERM, HUP, KILL, USR1), fc.integer({ min: -60_000, max: 60_000 })).map(([signal, ms]) => killed(signal, ms)),
);

test('after any events, in any order, twice or lost: an inspection that is asked later tells it all', () => {
  fc.assert(
    fc.property(
      fc.array(stimulus, { maxLength: 40 }),
      state,
      fc.constantFrom<DeregisterPolicy>('always', 'on-success'),
      (events, truth, policy) => {
        const last = inspected(2_000, truth, STARTED + 3_600_000);

        const known = track(...events, last);

        expect(phaseOf(known, policy)).toEqual(phaseOf(track(last), policy));
      },
    ),
  );
});

test('learning something twice is learning it once', () => {
  fc.assert(
    fc.property(fc.array(stimulus, { maxLength: 20 }), stimulus, (events, one) => {
      const once = track(...events, one);

      expect(phaseOf(learn(once, one), 'always')).toEqual(phaseOf(once, 'always'));
    }),
  );
});

test('while it is being stopped, nothing but its end, a new start or the end of the time brings it out of that', () => {
  const harmless = fc.oneof(
    fc
      .tuple(
        fc.integer({ min: 2, max: 99 }),
        fc.constantFrom<InspectedContainer>({}, { state: 'paused' }, { health: 'healthy' }),
        fc.nat({ max: 11_999 }),
      )
      .map(([order, given, ms]) => inspected(order, given, STARTED + 100 + ms)),
    fc.tuple(fc.constantFrom(TERM, HUP, USR1), fc.nat({ max: 9_000 })).map(([signal, ms]): { kind: 'killed' } & SentSignal => ({
      kind: 'killed',
      signal,
      sentMs: STARTED + 101 + ms,
      heardMs: STARTED + 101 + ms,
    })),
  );
  fc.assert(
    fc.property(fc.array(harmless, { maxLength: 20 }), (events) => {
      expect(phase(inspected(1), killed(TERM, 100), ...events)).toBe('draining');
    }),
  );
});
