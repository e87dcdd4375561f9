import { expect, test } from '@jest/globals';
import { registeredAs } from '../../consul/registered.ts';
import type { Registered } from '../../consul/registration.ts';
import type { Problem } from '../../model/problem.ts';
import { createHost, type HostPolicy } from '../../registrator/host.ts';
import type { Stimulus } from '../../registrator/lifecycle.ts';
import { containerStatus, countServices } from '../../registrator/status.ts';
import type { InspectedContainer } from '../harness/inspection.ts';
import { aContainer, NEAR, POLICY } from './a-container.ts';

interface World {
  readonly policy?: Partial<HostPolicy>;
  readonly container?: InspectedContainer;
  readonly stimuli?: readonly Stimulus[];
  readonly lost?: string;
  readonly refused?: Problem;
  readonly failing?: string;
  readonly isAgentUnknown?: boolean;
  readonly actual?: Partial<Registered>;
  readonly isUnseen?: boolean;
}

/** A host with one container, a, and an agent that has nothing of it, or what is said. */
function aWorld({ policy, container = {}, stimuli = [], lost, refused, failing, isAgentUnknown, actual, isUnseen }: World) {
  const host = createHost({ ...POLICY, deregister: 'always', register: 'started', ...policy }, () => {});
  if (!isAgentUnknown) host.setAgent({ address: NEAR.agentAddress, otherAddresses: {}, abilities: NEAR.abilities });
  if (isUnseen) host.listed(['a']);
  else host.learn('a', { kind: 'inspected', container: aContainer({ id: 'a', ...container }), asked: { order: 1, ms: 1 } });
  for (const stimulus of stimuli) host.learn('a', stimulus);
  const verdict = host.verdict('h:web1:80', undefined);
  const registered = verdict.kind === 'wanted' && actual !== undefined ? { ...registeredAs(verdict.registration), ...actual } : undefined;
  const settlement = {
    actual: () => registered,
    problems: () => new Map(refused === undefined ? [] : [['h:web1:80', refused]]),
    lost: () => lost,
  };
  return { host, settlement, observation: { failing: () => new Map(failing === undefined ? [] : [['a', failing]]) } };
}

const told = (world: World) => {
  const sides = aWorld(world);
  const [container] = sides.host.status();
  if (container === undefined) throw new Error('no container');
  return containerStatus(container, sides) as { name: string; phase: string; why?: string; services: { state: string; why?: string }[] };
};
const killed = (signal: number): Stimulus => ({ kind: 'killed', signal, sentMs: Date.parse('2026-01-01T00:00:02Z'), heardMs: 0 });
const HEALTHY = { policy: { register: 'healthy' as const } };

test.each<[string, World, string]>([
  [
    '-register healthy',
    { ...HEALTHY, container: { health: 'starting' } },
    'it waits until Docker finds the container healthy (-register healthy)',
  ],
  ['being stopped before it was registered', { stimuli: [killed(15)] }, 'it is being stopped'],
  ['not yet', {}, 'it is about to be registered'],
  ['the agent is away', { lost: 'no answer' }, 'Consul does not take it: no answer'],
])('a service that is not registered says why: %s', (_, world, why) => {
  expect(told(world).services).toEqual([{ id: 'h:web1:80', state: 'not registered', why }]);
});

test.each<[string, World, string]>([
  ['not inspected', { isUnseen: true }, 'it has not been inspected yet'],
  ['killed', { stimuli: [killed(9)] }, 'it is being killed'],
  ['ended badly before it was seen', { policy: { deregister: 'on-success' }, container: { state: 'exited', exitCode: 3 } }, 'it has ended'],
  ['the agent was never read', { isAgentUnknown: true, lost: 'refused' }, 'Consul has not been read yet: refused'],
  [
    'its network is another’s that is not known',
    { container: { networkMode: 'container:x' } },
    'the container whose network it uses is not known yet',
  ],
  ['SERVICE_IGNORE', { container: { env: { SERVICE_IGNORE: '1' } } }, 'SERVICE_IGNORE is set'],
  ['it cannot be described', { isAgentUnknown: true, failing: 'it cannot be described' }, 'it cannot be described'],
])('a container without services says why: %s', (_, world, why) => {
  expect(told(world)).toMatchObject({ why, services: [] });
});

test('registered, in maintenance, refused', () => {
  const problem = { subject: 'web', reason: 'register was refused' };

  expect(told({ actual: {} })).not.toHaveProperty('why');
  expect(told({ actual: {} }).services).toMatchObject([{ state: 'registered', name: 'web', address: '203.0.113.9', port: 8080 }]);
  expect(told({ actual: { maintenance: 'by hand' } }).services).toMatchObject([{ state: 'in maintenance', why: 'by hand' }]);
  expect(told({ refused: problem }).services).toEqual([{ id: 'h:web1:80', state: 'refused', why: 'register was refused' }]);
});

test('services are counted as they are told', () => {
  const problem = { subject: 'web', reason: 'register was refused' };

  expect(countServices(aWorld({ actual: {} }))).toEqual({ wanted: 1, refused: 0, held: 0 });
  expect(countServices(aWorld({ actual: { maintenance: 'by hand' } }))).toEqual({ wanted: 1, refused: 0, held: 1 });
  expect(countServices(aWorld({ refused: problem }))).toEqual({ wanted: 1, refused: 1, held: 0 });
  expect(countServices(aWorld({ container: { env: { SERVICE_IGNORE: '1' } } }))).toEqual({ wanted: 0, refused: 0, held: 0 });
});
