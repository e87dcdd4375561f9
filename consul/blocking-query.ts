import { setImmediate } from 'node:timers/promises';
import { backoffMs } from '../daemon/backoff.ts';
import { type InnerSignal, innerSignal } from '../daemon/inner-signal.ts';
import { sleep } from '../daemon/sleep.ts';
import { ConsulRefusal, jsonBody } from './call.ts';
import type { ConsulAnswer, ConsulRequest, ConsulTransport } from './transport.ts';

/** What to ask again and again. Consul answers when the index moved, or when the wait is over. */
export interface BlockingQuery<Body> {
  /** Its parts are already percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Reads the JSON; null for an empty answer and for a key that does not exist (404). What it throws makes the answer a broken one. */
  readonly parse: (json: unknown) => Body;
}

/** What speaks for or against an answer. */
export interface AnswerTrust {
  /** False when the server that answered knew of no leader (`X-Consul-KnownLeader`). */
  readonly knownLeader: boolean;
  /** The token does not allow to see everything (`X-Consul-Results-Filtered-By-ACLs`, from Consul 1.11). */
  readonly filteredByAcl: boolean;
}

/** One whole answer whose index or trust differs from the one before, or that was asked for without an index. */
export interface BlockingAnswer<Body> extends AnswerTrust {
  readonly body: Body;
  readonly index: number;
  /** The highest index seen before, when this one is lower: Consul lost data, was restored, or another one answers. */
  readonly wentBackFrom?: number;
}

/** How a query fares; told at every change and at every failure. */
export type QueryState =
  | { readonly kind: 'ok'; readonly since: number }
  | { readonly kind: 'failing'; readonly since: number; readonly failures: number; readonly error: Error };

export interface BlockingOptions {
  /** How long Consul may hold a request, milliseconds; it adds up to a sixteenth, and allows 10 minutes. Asked at each request. */
  readonly waitMs?: () => number;
  /** Least time between the starts of two requests, milliseconds: a hot endpoint must not spin. Asked after each answer. */
  readonly minIntervalMs?: () => number;
  /** Longest pause after broken answers, milliseconds. */
  readonly maxBackoffMs?: number;
  readonly observe?: (state: QueryState) => void;
  /** How long Consul may take besides what it may hold the request, milliseconds. */
  readonly answerWithinMs?: number;
  readonly renewal?: Renewal;
}

/** Has a query asked anew: a request that seems to be held may have been swallowed by an agent that hung. */
export interface Renewal {
  /** Drops the request under way; the next is asked at once, without an index. */
  readonly renew: () => void;
  /** What drops it; the query's own business. */
  readonly underWay: (request: InnerSignal | undefined) => void;
}

export function createRenewal(): Renewal {
  let current: InnerSignal | undefined;
  return {
    renew: () => current?.end(),
    underWay: (request) => {
      current = request;
    },
  };
}

const WAIT_MS = 60_000;
const ANSWER_WITHIN_MS = 10_000;
/** Between two requests of a query, unless it says otherwise. */
export const MIN_INTERVAL_MS = 20;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 10_000;

/** Asks once, without waiting for a change. @throws Error for a broken answer, as {@link blockingQuery} counts it. */
export async function askNow<Body>(
  transport: ConsulTransport,
  query: BlockingQuery<Body>,
  signal: AbortSignal,
): Promise<BlockingAnswer<Body>> {
  const outcome = await ask(transport, query, START, { waitMs: 0, answerWithinMs: ANSWER_WITHIN_MS }, signal);
  if (outcome.kind === 'moved') return outcome.answer;
  throw outcome.kind === 'broken' ? outcome.error : new Error('without an index no answer can be the same');
}

/**
 * Asks until the signal aborts, and yields each answer whose index moved. Never throws: a broken answer (no connection, an error status, a
 * timeout, no JSON, no index, refused by `parse`) is told to `observe`, and after it the next query is asked without an index, because a
 * Consul that came back younger would hold the old one for ever.
 */
export async function* blockingQuery<Body>(
  transport: ConsulTransport,
  query: BlockingQuery<Body>,
  {
    waitMs = () => WAIT_MS,
    minIntervalMs = () => MIN_INTERVAL_MS,
    maxBackoffMs = MAX_BACKOFF_MS,
    observe = () => {},
    answerWithinMs = ANSWER_WITHIN_MS,
    renewal = createRenewal(),
  }: BlockingOptions,
  signal: AbortSignal,
): AsyncGenerator<BlockingAnswer<Body>, void, void> {
  let position: Position = START;
  let state: QueryState | undefined;
  let tooEarly = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    const wait = jittered(waitMs());
    using request = innerSignal(signal);
    renewal.underWay(request);
    const outcome = await ask(transport, query, position, { waitMs: wait, answerWithinMs }, request.signal);
    renewal.underWay(undefined);
    if (signal.aborted) return;
    if (request.signal.aborted) {
      position = { ...position, index: undefined };
      continue;
    }
    state = nextState(state, outcome, observe);
    position = nextPosition(position, outcome);
    if (outcome.kind === 'moved') {
      yield outcome.answer;
      // Whoever took it makes of it what can be made at once, before the next request takes its time.
      await setImmediate();
    }
    const tookMs = performance.now() - startedAt;
    tooEarly = didNotBlock(outcome, tookMs, wait) ? tooEarly + 1 : 0;
    const pauseMs = state.kind === 'failing' ? backoffMs(state.failures, FIRST_BACKOFF_MS, maxBackoffMs) : 0;
    const restMs = Math.max(minIntervalMs() - tookMs, pauseMs, backoffMs(tooEarly, MIN_INTERVAL_MS, maxBackoffMs));
    if (restMs > 0) await sleep(restMs, signal);
  }
}

/** The index to ask with (none: answer at once), the highest one seen, and how the last answer was to be trusted. */
interface Position {
  readonly index: number | undefined;
  readonly highest: number;
  readonly trust: AnswerTrust;
}

const START: Position = { index: undefined, highest: 0, trust: { knownLeader: true, filteredByAcl: false } };

type Outcome<Body> =
  | { readonly kind: 'moved'; readonly answer: BlockingAnswer<Body> }
  | { readonly kind: 'same' }
  | { readonly kind: 'broken'; readonly error: Error };

async function ask<Body>(
  transport: ConsulTransport,
  question: BlockingQuery<Body>,
  { index, highest, trust }: Position,
  { waitMs, answerWithinMs }: { readonly waitMs: number; readonly answerWithinMs: number },
  signal: AbortSignal,
): Promise<Outcome<Body>> {
  const holding = index === undefined ? {} : { index: String(index), wait: `${waitMs}ms` };
  const timeoutMs = index === undefined ? answerWithinMs : Math.ceil(waitMs + waitMs / 16) + answerWithinMs;
  const request: ConsulRequest = { method: 'GET', path: question.path, query: { ...question.query, ...holding }, timeoutMs };
  try {
    const answer = await transport.send(request, signal);
    const newIndex = answerIndex(request, answer, transport.subject);
    const newTrust = trustIn(answer);
    if (newIndex === index && isSameTrust(trust, newTrust)) return { kind: 'same' };
    const json = answer.status === 404 ? null : jsonBody(request, answer, transport.subject);
    const wentBack = newIndex < highest ? { wentBackFrom: highest } : {};
    return { kind: 'moved', answer: { body: question.parse(json), index: newIndex, ...newTrust, ...wentBack } };
  } catch (error) {
    return { kind: 'broken', error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** The answer's index. @throws ConsulRefusal when the answer is an error, or has no index: then it is not Consul that answers. */
function answerIndex(request: ConsulRequest, answer: ConsulAnswer, subject: string): number {
  const text = answer.headers['x-consul-index'];
  const isAnswer = (answer.status === 200 || answer.status === 404) && typeof text === 'string' && /^\d{1,16}$/.test(text);
  if (!isAnswer) throw new ConsulRefusal(request, answer, subject);
  return Number(text);
}

function trustIn({ headers }: ConsulAnswer): AnswerTrust {
  return {
    knownLeader: headers['x-consul-knownleader'] !== 'false',
    filteredByAcl: headers['x-consul-results-filtered-by-acls'] === 'true',
  };
}

function isSameTrust(a: AnswerTrust, b: AnswerTrust): boolean {
  return a.knownLeader === b.knownLeader && a.filteredByAcl === b.filteredByAcl;
}

/** Something between us and Consul answers at once instead of holding the request; it must not be asked in a loop. */
function didNotBlock(outcome: Outcome<unknown>, tookMs: number, waitMs: number): boolean {
  return outcome.kind === 'same' ? tookMs < waitMs / 2 : outcome.kind === 'moved' && outcome.answer.index === 0;
}

function nextPosition(position: Position, outcome: Outcome<unknown>): Position {
  if (outcome.kind === 'same') return position;
  if (outcome.kind === 'broken') return { ...position, index: undefined };
  const { index, wentBackFrom, knownLeader, filteredByAcl } = outcome.answer;
  const isLost = index === 0 || wentBackFrom !== undefined;
  return { index: isLost ? undefined : index, highest: index, trust: { knownLeader, filteredByAcl } };
}

function nextState(state: QueryState | undefined, outcome: Outcome<unknown>, observe: (state: QueryState) => void): QueryState {
  if (outcome.kind !== 'broken' && state?.kind === 'ok') return state;
  const before = state?.kind === 'failing' ? state : { since: Date.now(), failures: 0 };
  const next: QueryState =
    outcome.kind === 'broken'
      ? { kind: 'failing', since: before.since, failures: before.failures + 1, error: outcome.error }
      : { kind: 'ok', since: Date.now() };
  observe(next);
  return next;
}

/** A tenth less at most, so that queries that began together do not end together for ever. */
function jittered(ms: number): number {
  return Math.round(ms * (1 - Math.random() / 10));
}
