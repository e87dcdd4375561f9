import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Registered } from '../../consul/registration.ts';
import { createHost, type Host, type HostPolicy } from '../../registrator/host.ts';
import type { Stimulus } from '../../registrator/lifecycle.ts';
import type { InspectedContainer } from '../harness/inspection.ts';
import { aContainer, NEAR, POLICY } from './a-container.ts';

const AGENT = { address: NEAR.agentAddress, otherAddresses: {}, abilities: NEAR.abilities };
let order = 0;

function aHost(policy: Partial<HostPolicy> = {}): Host & { changes: string[][] } {
  const changes: string[][] = [];
  const host = createHost({ ...POLICY, deregister: 'always', register: 'started', ...policy }, (_, ids) => changes.push([...ids]));
  host.setAgent(AGENT);
  host.listed([]);
  return { ...host, changes };
}

const inspected = (id: string, given: InspectedContainer = {}): Stimulus => ({
  kind: 'inspected',
  container: aContainer({ id, name: id, ...given }),
  asked: { order: ++order, ms: Date.now() },
});
const died = (): Stimulus => ({ kind: 'died', heard: { order: ++order, ms: Date.now() } });
const killed = (signal = 15): Stimulus => ({ kind: 'killed', signal, sentMs: Date.now(), heardMs: Date.now() });
const ours = (container: string) => ({ meta: { 'toots-container': container } }) as unknown as Registered;

test('a running container wants its services, an ended one nothing', () => {
  const host = aHost();

  host.learn('a', inspected('a'));
  expect(host.verdict('h:a:80', undefined)).toMatchObject({ kind: 'wanted', creates: true, registration: { id: 'h:a:80' } });

  host.learn('a', died());
  expect(host.verdict('h:a:80', ours('a'))).toEqual({ kind: 'unwanted' });
  expect(host.changes).toEqual([['h:a:80'], ['h:a:80']]);
});

test.each<[string, InspectedContainer, Stimulus[], Partial<HostPolicy>, object]>([
  ['being stopped', {}, [killed()], {}, { creates: false, hold: expect.stringContaining('stopped') }],
  ['paused', { state: 'paused' }, [], {}, { creates: true, hold: expect.stringContaining('paused') }],
  ['not healthy yet', { health: 'starting' }, [], {}, { creates: true }],
  ['not healthy yet, -register healthy', { health: 'starting' }, [], { register: 'healthy' }, { creates: false }],
  ['healthy, -register healthy', { health: 'healthy' }, [], { register: 'healthy' }, { creates: true }],
  ['without a HEALTHCHECK, -register healthy', {}, [], { register: 'healthy' }, { creates: true }],
])('a container that is %s', (_, given, stimuli, policy, verdict) => {
  const host = aHost(policy);

  host.learn('a', inspected('a', given));
  for (const stimulus of stimuli) host.learn('a', stimulus);

  expect(host.verdict('h:a:80', undefined)).toEqual({ kind: 'wanted', registration: expect.anything(), ...verdict });
});

test('a container that is killed wants nothing from then on, and its services again if it is still there when StopTimeout is over', () => {
  const host = aHost();
  host.learn('a', inspected('a'));

  host.learn('a', killed(9));
  expect(host.phase('a')?.kind).toBe('draining');
  expect(host.verdict('h:a:80', ours('a'))).toEqual({ kind: 'unwanted' });
  host.learn('a', inspected('a'));
  expect(host.verdict('h:a:80', ours('a'))).toEqual({ kind: 'unwanted' });

  host.learn('a', { ...inspected('a'), asked: { order: ++order, ms: Date.now() + 60_000 } } as Stimulus);
  expect(host.verdict('h:a:80', undefined)).toMatchObject({ kind: 'wanted', creates: true });
});

test.each<[string, string, Partial<HostPolicy>, number]>([
  ['the loopback address', '127.0.0.1', {}, 1],
  ['no address', '0.0.0.0', {}, 1],
  ['its own address', '10.0.0.1', {}, 0],
  ['the loopback address, and -ip says another', '127.0.0.1', { hostAddress: '10.0.0.1' }, 0],
  ['the loopback address, of a host that registers containers’ own', '127.0.0.1', { isInternal: true }, 0],
])('an agent that tells others %s: %s', (_, address, policy, problems) => {
  const host = aHost(policy);
  host.setAgent({ ...AGENT, address });

  host.learn('a', inspected('a'));

  expect(host.problems().filter(({ subject, option }) => subject === 'registrator' && option === '-ip')).toHaveLength(problems);
});

test('a container that ended with an error is kept as it was, with -deregister on-success', () => {
  const host = aHost({ deregister: 'on-success' });
  host.learn('a', inspected('a'));

  host.learn('a', inspected('a', { state: 'exited', exitCode: 3, ports: {} }));

  expect(host.verdict('h:a:80', undefined)).toMatchObject({ kind: 'wanted', creates: false, hold: expect.stringContaining('exit code 3') });
});

test('the same after a restart of the registrator: what Consul has is held', () => {
  const host = aHost({ deregister: 'on-success' });

  host.learn('a', inspected('a', { state: 'exited', exitCode: 3, ports: {} }));

  expect(host.verdict('h:a:80', ours('a'))).toMatchObject({ kind: 'held' });
});

test('nothing of ours goes before it is known whether a container wants it', () => {
  const host = createHost({ ...POLICY, deregister: 'always', register: 'started' }, () => {});
  const verdict = () => host.verdict('h:a:80', ours('a')).kind;

  expect(verdict()).toBe('unknown');
  host.setAgent(AGENT);
  expect(verdict()).toBe('unknown');
  host.listed(['a']);
  expect(verdict()).toBe('unknown');
  expect(host.isComplete(new Map())).toBe(false);
  expect(host.isComplete(new Map([['a', 'cannot be read']]))).toBe(true);
  expect(host.verdict('h:b:80', ours('b')).kind).toBe('unwanted');

  host.learn('a', inspected('a', { ports: {} }));
  expect(verdict()).toBe('unwanted');
  expect(host.isComplete(new Map())).toBe(true);
});

test('the agent tells its address later, and then another', () => {
  const host = createHost({ ...POLICY, deregister: 'always', register: 'started' }, () => {});
  host.listed(['a']);
  host.learn('a', inspected('a'));
  const address = () => {
    const verdict = host.verdict('h:a:80', undefined);
    return verdict.kind === 'wanted' ? verdict.registration.address : verdict.kind;
  };

  expect(address()).toBe('unknown');
  host.setAgent(AGENT);
  expect(address()).toBe('203.0.113.9');
  host.setAgent({ ...AGENT, address: '203.0.113.10' });
  expect(address()).toBe('203.0.113.10');
});

test('a container in the network of another waits for that one, and follows it', () => {
  const host = createHost({ ...POLICY, deregister: 'always', register: 'started' }, () => {});
  const side: InspectedContainer = { networkMode: 'container:base', networks: {}, exposed: ['90/tcp'] };
  const verdict = () => host.verdict('h:side:90', ours('side'));
  host.setAgent(AGENT);
  host.listed(['side', 'base']);

  host.learn('side', inspected('side', side));
  expect(verdict().kind).toBe('unknown');

  host.learn('base', inspected('base', { networks: { n: '10.0.0.5' }, ports: {} }));
  expect(verdict()).toMatchObject({ kind: 'wanted', registration: { address: '10.0.0.5', port: 90 } });

  host.learn('base', died());
  expect(verdict().kind).toBe('unwanted');
});

const SHARED = { env: { SERVICE_ID: 'shared' } };

test('one ID wanted twice: the lowest port keeps it', () => {
  const host = aHost();

  host.learn('a', inspected('a', { ...SHARED, ports: { '81/tcp': ['1'] }, created: '2026-01-01T00:00:00Z' }));
  host.learn('b', inspected('b', { ...SHARED, ports: { '80/tcp': ['2'] }, created: '2026-01-02T00:00:00Z' }));

  expect(host.verdict('shared', undefined)).toMatchObject({ registration: { port: 2 } });
  expect(host.problems()).toMatchObject([{ subject: 'a', option: 'ID', value: 'shared', related: ['b'] }]);
});

test('then the older container; the other gets it when that is gone', () => {
  const host = aHost();

  host.learn('young', inspected('young', { ...SHARED, created: '2026-01-02T00:00:00Z' }));
  host.learn('old', inspected('old', { ...SHARED, created: '2026-01-01T00:00:00Z' }));
  expect(host.verdict('shared', undefined)).toMatchObject({ registration: { meta: { 'toots-container': 'old' } } });

  host.learn('old', died());
  expect(host.verdict('shared', undefined)).toMatchObject({ registration: { meta: { 'toots-container': 'young' } } });
  expect(host.problems()).toEqual([]);
});

test.each<[string, InspectedContainer, Stimulus[], Partial<HostPolicy>]>([
  ['is being stopped', {}, [killed()], {}],
  ['is paused', { state: 'paused' }, [], {}],
  ['has failed', { state: 'exited', exitCode: 3 }, [], { deregister: 'on-success' }],
])('one that serves has the ID before an older one that %s', (_, given, stimuli, policy) => {
  const host = aHost(policy);
  const holder = () => host.verdict('shared', undefined);

  host.learn('old', inspected('old', { ...SHARED, created: '2026-01-01T00:00:00Z' }));
  host.learn('old', inspected('old', { ...SHARED, ...given, created: '2026-01-01T00:00:00Z' }));
  for (const stimulus of stimuli) host.learn('old', stimulus);
  expect(holder()).toMatchObject({ hold: expect.any(String), registration: { meta: { 'toots-container': 'old' } } });

  host.learn('young', inspected('young', { ...SHARED, created: '2026-01-02T00:00:00Z' }));
  expect(holder()).toMatchObject({ creates: true, registration: { meta: { 'toots-container': 'young' } } });
  expect(holder()).not.toHaveProperty('hold');
});

test('what no filter selects is left to another registrator of this engine, until its container has ended', () => {
  const host = aHost({ filters: [{ kind: 'label', key: 'team', value: 'red' }] });

  host.learn('a', inspected('a'));
  expect(host.verdict('h:a:80', ours('a'))).toEqual({ kind: 'unknown' });

  host.learn('a', died());
  expect(host.verdict('h:a:80', ours('a'))).toEqual({ kind: 'unwanted' });
});

test('a container in the network of one that is in the network of another', () => {
  const host = aHost();
  const joined = (id: string) => ({ networkMode: `container:${id}`, networks: {}, exposed: ['90/tcp'], ports: {} });

  host.learn('last', inspected('last', joined('middle')));
  host.learn('middle', inspected('middle', joined('base')));
  host.learn('base', inspected('base', { networks: { n: '10.0.0.5' }, ports: {} }));
  expect(host.verdict('h:last:90', undefined)).toMatchObject({ kind: 'wanted', registration: { address: '10.0.0.5' } });

  host.learn('base', died());
  expect(host.verdict('h:last:90', ours('last')).kind).toBe('unwanted');
});

test('one container, two ports, one ID', () => {
  const host = aHost();

  host.learn('a', inspected('a', { ...SHARED, ports: { '443/tcp': ['1'], '80/tcp': ['2'] } }));

  expect(host.verdict('shared', undefined)).toMatchObject({ registration: { port: 2 } });
  expect(host.problems()).toMatchObject([{ subject: 'a', related: ['a'], reason: expect.stringContaining('port 443') }]);
});

test('a container that was renamed wants its new ID only, and both are told', () => {
  const host = aHost();
  host.learn('a', inspected('a', { name: 'one' }));

  host.learn('a', inspected('a', { name: 'two' }));

  expect([...host.wantedIds()]).toEqual(['h:two:80']);
  expect(host.changes.at(-1)?.sort()).toEqual(['h:one:80', 'h:two:80']);
  expect(host.wantedOf('a')).toEqual(['h:two:80']);
});

test('an ended container is forgotten once it was inspected; its name is free', () => {
  const host = aHost();
  host.learn('a', inspected('a'));
  host.learn('a', died());
  expect(host.containerIds()).toEqual(['a']);

  host.learn('a', { kind: 'missing', asked: { order: ++order, ms: Date.now() } });

  expect(host.containerIds()).toEqual([]);
  expect(host.status()).toEqual([]);
});

test('status tells what each container wants, or why nothing', () => {
  const host = aHost();

  host.learn('a', inspected('a'));
  host.learn('b', inspected('b', { ports: {} }));

  expect(host.status()).toMatchObject([
    { id: 'a', phase: { kind: 'up' }, services: [{ id: 'h:a:80', isLost: false }] },
    { id: 'b', services: [], why: 'it publishes no port' },
  ]);
});

// ---- many containers, any events: the end is what the last inspections say

const NAMES = ['a', 'b', 'c'];
const truth = fc.record({
  state: fc.constantFrom('running' as const, 'paused' as const, 'exited' as const),
  env: fc.constantFrom({}, { SERVICE_ID: 'shared' }, { SERVICE_NAME: 'x' }),
  ports: fc.constantFrom({ '80/tcp': ['1'] }, { '80/tcp': ['2'], '81/tcp': ['3'] }, {}),
});
const happening = fc.tuple(
  fc.constantFrom(...NAMES),
  fc.oneof(
    truth.map((given) => ({ kind: 'look' as const, given })),
    fc.constantFrom({ kind: 'died' as const }, { kind: 'killed' as const }, { kind: 'missing' as const }),
  ),
);

test('after any happenings the host wants what a host wants that only ever saw the end', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 30 }), fc.tuple(truth, truth, truth), (happenings, last) => {
      const [seasoned, fresh] = [aHost(), aHost()];
      for (const [name, what] of happenings) {
        if (what.kind === 'look') seasoned.learn(name, inspected(name, what.given));
        else if (what.kind === 'missing') seasoned.learn(name, { kind: 'missing', asked: { order: ++order, ms: Date.now() } });
        else seasoned.learn(name, what.kind === 'died' ? died() : killed());
      }
      const end = (name: string, given: InspectedContainer): Stimulus => ({
        kind: 'inspected',
        container: aContainer({ id: name, name, ...given }),
        asked: { order: ++order, ms: Date.now() + 3_600_000 },
      });
      for (const host of [seasoned, fresh]) for (const [index, name] of NAMES.entries()) host.learn(name, end(name, last[index] ?? {}));

      const ids = ['shared', ...NAMES.flatMap((name) => [`h:${name}:80`, `h:${name}:81`])];
      expect(ids.map((id) => seasoned.verdict(id, undefined))).toEqual(ids.map((id) => fresh.verdict(id, undefined)));
      expect([...seasoned.wantedIds()].sort()).toEqual([...fresh.wantedIds()].sort());
    }),
  );
});

test('one container that cannot be described with what the agent says of itself costs no other', () => {
  const host = aHost();
  for (const id of ['a', 'bad', 'c']) host.learn(id, inspected(id));
  const badLabels = host.container('bad')?.labels ?? {};
  Object.defineProperty(badLabels, 'SERVICE_NAME', {
    enumerable: true,
    get: () => {
      throw new Error('no label');
    },
  });

  expect(() => host.setAgent({ ...AGENT, address: '203.0.113.10' })).toThrow(AggregateError);

  const addressOf = (id: string) => {
    const verdict = host.verdict(`h:${id}:80`, undefined);
    return verdict.kind === 'wanted' ? verdict.registration.address : verdict.kind;
  };
  expect(['a', 'bad', 'c'].map(addressOf)).toEqual(['203.0.113.10', '203.0.113.9', '203.0.113.10']);
});
