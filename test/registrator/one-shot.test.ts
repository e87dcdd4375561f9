import { expect, test } from '@jest/globals';
import { registeredAs } from '../../consul/registered.ts';
import type { Registered } from '../../consul/registration.ts';
import { createHost } from '../../registrator/host.ts';
import { findLeftovers, leftoverLine, planWrites, type Snapshot, stepLine } from '../../registrator/one-shot.ts';
import { aContainer, NEAR, POLICY } from './a-container.ts';

/** A host with one container, web1, and an agent that has these services, of nobody unless said. */
function aSnapshot(...services: (Partial<Registered> & { id: string })[]): Snapshot {
  const host = createHost({ ...POLICY, deregister: 'always', register: 'started' }, () => {});
  host.setAgent({ address: NEAR.agentAddress, otherAddresses: {}, abilities: NEAR.abilities });
  host.listed([]);
  host.learn('c'.repeat(64), { kind: 'inspected', container: aContainer(), asked: { order: 1, ms: Date.now() } });
  const plain = {
    name: 'web',
    address: '203.0.113.9',
    port: 8080,
    taggedAddresses: {},
    tags: [],
    meta: {},
    weights: { passing: 1, warning: 1 },
    tagsAreFree: false,
    checks: new Map(),
  };
  const registered = new Map(services.map((service) => [service.id, { ...plain, ...service }]));
  return { host, registered, hasAddress: (address) => address === plain.address };
}

test.each([
  ['what a container wants, though its port is another', { id: 'h:web1:80', port: 1 }, ['take']],
  ['a container of this host that is gone', { id: 'h:gone:80' }, ['remove']],
  ['the same over udp', { id: 'h:gone:53:udp' }, ['remove']],
  ["a registrator whose host name was its container's ID", { id: '0123456789ab:web1:80' }, ['remove']],
  ['without an address, so with the agent’s', { id: 'h:gone:80', address: '' }, ['remove']],
  ['made by hand for another machine, with an ID that looks like ours', { id: 'h:postgres:5432', address: '10.0.0.10' }, ['leave']],
  ['of another machine’s container', { id: 'deadbeef0123:web:80', address: '10.0.0.9' }, ['leave']],
  ['another host', { id: 'other:gone:80' }, []],
  ['an ID of another kind', { id: 'postgres' }, []],
  ["another owner's", { id: 'h:gone:80', meta: { 'toots-owner': 'x' } }, []],
])('leftovers: %s', (_, service, kinds) => {
  expect(findLeftovers(aSnapshot(service), 'h').map(({ kind }) => kind)).toEqual(kinds);
});

test('a leftover is told in a line', () => {
  expect(findLeftovers(aSnapshot({ id: 'h:gone:80', name: 'old', port: 9 }), 'h').map(leftoverLine)).toEqual([
    'remove h:gone:80: old 203.0.113.9:9 (no container here wants it)',
  ]);
});

test('a plan holds every write and every problem, and no more', () => {
  const orphan = { id: 'h:gone:80', meta: { 'toots-owner': 'engine-1', 'toots-container': 'x' } };

  const { writes, problems } = planWrites(aSnapshot(orphan, { id: 'by-hand' }), 'engine-1');

  expect(writes.map(stepLine)).toEqual(['register h:web1:80: web 203.0.113.9:8080 [] (new)', 'deregister h:gone:80']);
  expect(problems).toEqual([]);
});

test('where all is as it should be there is nothing to write', () => {
  const snapshot = aSnapshot();
  const verdict = snapshot.host.verdict('h:web1:80', undefined);
  if (verdict.kind !== 'wanted') throw new Error(verdict.kind);

  expect(planWrites({ ...snapshot, registered: new Map([['h:web1:80', registeredAs(verdict.registration)]]) }, 'engine-1').writes).toEqual(
    [],
  );
});

test.each<[string, (was: Registered) => Registered, string]>([
  ['tags and weights', (was) => ({ ...was, tags: ['old'], weights: { passing: 2, warning: 1 } }), 'differs: tags, weights'],
  ['checks', (was) => ({ ...was, checks: new Map() }), 'differs: checks'],
  ['address and name', (was) => ({ ...was, name: 'old', address: '203.0.113.1' }), 'differs: name, address'],
  ['port', (was) => ({ ...was, port: 1 }), 'differs: port'],
  ['nobody’s', (was) => ({ ...was, meta: {} }), 'taken over; differs: meta'],
])('a registration says what it is for: %s', (_, change, why) => {
  const { host } = aSnapshot();
  host.learn('c'.repeat(64), {
    kind: 'inspected',
    container: aContainer({ env: { SERVICE_CHECK_TCP: 'true' } }),
    asked: { order: 2, ms: Date.now() },
  });
  const verdict = host.verdict('h:web1:80', undefined);
  if (verdict.kind !== 'wanted') throw new Error(verdict.kind);
  const registered = new Map([['h:web1:80', change(registeredAs(verdict.registration))]]);

  expect(planWrites({ host, registered, hasAddress: () => true }, 'engine-1').writes.map(stepLine)).toEqual([
    `register h:web1:80: web 203.0.113.9:8080 [] (${why})`,
  ]);
});

test('what cannot be registered is a problem', () => {
  expect(planWrites(aSnapshot({ id: 'h:web1:80', port: 1 }), 'engine-1')).toMatchObject({
    writes: [],
    problems: [{ subject: 'web', option: 'ID' }],
  });
});
