import { expect, test } from '@jest/globals';
import { registeredAs } from '../../consul/registered.ts';
import type { Registered, Registration } from '../../consul/registration.ts';
import { afterStep, decide, type Step, type Verdict } from '../../registrator/reconcile.ts';

const OURS: Registration = {
  id: 'h:web1:80',
  name: 'web',
  address: '10.0.0.1',
  port: 8080,
  taggedAddresses: {},
  tags: ['a'],
  meta: { 'toots-owner': 'me', 'toots-container': 'c1', 'toots-variant': 'v' },
  weights: { passing: 1, warning: 1 },
  tagsAreFree: false,
  checks: [{ id: 'service:h:web1:80', name: 'n', probe: { kind: 'tcp', address: '10.0.0.1:8080', interval: '10s' } }],
};
const REGISTERED = registeredAs(OURS);
const WITH_HEALTH: Registration = { ...OURS, checks: [{ id: 'health', name: 'n', probe: { kind: 'reported' }, status: 'passing' }] };
const GLIDERLABS: Registered = {
  ...REGISTERED,
  meta: { check_tcp: 'true' },
  checks: new Map([['service:h:web1:80', { status: 'passing' }]]),
};
const ANOTHERS: Registered = { ...REGISTERED, meta: { 'toots-owner': 'another' } };

const wanted = (more: Partial<Extract<Verdict, { kind: 'wanted' }>> = {}): Verdict => ({
  kind: 'wanted',
  registration: OURS,
  creates: true,
  ...more,
});
const unwanted: Verdict = { kind: 'unwanted' };
const hold = 'toots: stopping';

const register = { kind: 'register', registration: OURS };
type Row = [title: string, verdict: Verdict, actual: Registered | undefined, step: object | 'settled' | 'refused'];

test.each<Row>([
  ['not there', wanted(), undefined, register],
  ['not there, and paused', wanted({ hold: 'toots: paused' }), undefined, { ...register, hold: 'toots: paused' }],
  ['not there, and only to be kept', wanted({ creates: false }), undefined, 'settled'],
  ['as it should be', wanted(), REGISTERED, 'settled'],
  ['another port', wanted(), { ...REGISTERED, port: 1 }, register],
  ['another container', wanted(), { ...REGISTERED, meta: { ...REGISTERED.meta, 'toots-container': 'c0' } }, register],
  [
    'tags in another order',
    wanted({ registration: { ...OURS, tags: ['a', 'b'] } }),
    { ...REGISTERED, tags: ['b', 'a'] },
    { kind: 'register' },
  ],
  [
    'free tags that others changed',
    wanted({ registration: { ...OURS, tagsAreFree: true } }),
    { ...REGISTERED, tagsAreFree: true, tags: ['x'] },
    'settled',
  ],
  [
    'another definition of a check',
    wanted(),
    { ...REGISTERED, checks: new Map([['service:h:web1:80', { status: 'passing', digest: '000000000000' }]]) },
    register,
  ],
  [
    'a check of ours too many',
    wanted(),
    { ...REGISTERED, checks: new Map([...REGISTERED.checks, ['old', { status: 'passing', digest: '000000000000' }]]) },
    { kind: 'deregister check', checkId: 'old' },
  ],
  [
    'a check that others added',
    wanted(),
    { ...REGISTERED, checks: new Map([...REGISTERED.checks, ['theirs', { status: 'passing' }]]) },
    'settled',
  ],
  [
    'a status that we tell',
    wanted({ registration: WITH_HEALTH }),
    afterStep({ kind: 'tell status', checkId: 'health', status: 'critical' }, registeredAs(WITH_HEALTH)),
    { kind: 'tell status', checkId: 'health', status: 'passing' },
  ],

  ['to be held', wanted({ hold }), REGISTERED, { kind: 'hold', reason: hold }],
  ['held', wanted({ hold }), { ...REGISTERED, maintenance: hold }, 'settled'],
  ['held for another reason', wanted({ hold }), { ...REGISTERED, maintenance: 'toots: paused' }, 'settled'],
  ['to be held, and changed: out of service first', wanted({ hold }), { ...REGISTERED, port: 1 }, { kind: 'hold' }],
  ['held, and not any more', wanted(), { ...REGISTERED, maintenance: hold }, { kind: 'release' }],
  ['maintenance of an operator stays', wanted(), { ...REGISTERED, maintenance: 'by hand' }, 'settled'],
  ['maintenance of an operator, while it stops', wanted({ hold }), { ...REGISTERED, maintenance: 'by hand' }, 'settled'],
  ['maintenance of an operator, and a change', wanted(), { ...REGISTERED, port: 1, maintenance: 'by hand' }, register],

  ["gliderlabs registrator's is taken over", wanted(), GLIDERLABS, register],
  ["gliderlabs registrator's, on another port", wanted(), { ...GLIDERLABS, port: 1 }, 'refused'],
  ["gliderlabs registrator's, of another name", wanted(), { ...GLIDERLABS, name: 'x' }, 'refused'],
  ["another owner's", wanted(), ANOTHERS, 'refused'],

  ['no container wants it', unwanted, REGISTERED, { kind: 'deregister' }],
  ["no container wants it, and it is nobody's", unwanted, GLIDERLABS, 'settled'],
  ["no container wants it, and it is another owner's", unwanted, ANOTHERS, 'settled'],
  ['no container wants it, and it is not there', unwanted, undefined, 'settled'],
  ['not known yet', { kind: 'unknown' }, REGISTERED, 'settled'],
  ['ended with an error', { kind: 'held', hold }, REGISTERED, { kind: 'hold', reason: hold }],
  ['ended with an error, and held', { kind: 'held', hold }, { ...REGISTERED, maintenance: hold }, 'settled'],
  ["ended with an error, and another owner's", { kind: 'held', hold }, ANOTHERS, 'settled'],
])('%s', (_, verdict, actual, expected) => {
  const decision = decide(verdict, actual, 'me');

  expect(decision).toMatchObject(typeof expected === 'string' ? { kind: expected } : { kind: 'step', step: expected });
});

test('a refusal names the service, the ID, whose it is and what to do', () => {
  expect(decide(wanted(), ANOTHERS, 'me')).toMatchObject({
    problem: { subject: 'web', option: 'ID', value: 'h:web1:80', related: ['another'], reason: expect.stringContaining('SERVICE_ID') },
  });
});

test.each<[string, Verdict, Registered | undefined, string[]]>([
  ['a container that is found paused', wanted({ hold }), undefined, ['register']],
  ['taking over, with other checks', wanted({ registration: WITH_HEALTH }), GLIDERLABS, ['register']],
  [
    'a changed container that had been paused',
    wanted({ registration: WITH_HEALTH }),
    { ...REGISTERED, maintenance: hold },
    ['register', 'deregister check', 'release'],
  ],
])('the steps lead there: %s', (_, verdict, actual, kinds) => {
  const steps: Step[] = [];
  let is = actual;
  for (let decision = decide(verdict, is, 'me'); decision.kind === 'step'; decision = decide(verdict, is, 'me')) {
    steps.push(decision.step);
    is = afterStep(decision.step, is);
  }

  expect(steps.map(({ kind }) => kind)).toEqual(kinds);
});
