import { expect, test } from '@jest/globals';
import { planInstances } from '../../model/edge-instances.ts';
import type { Instance } from '../../model/instance.ts';
import { anInstance } from './a-catalog.ts';

const UNRESOLVED = new Map();

test.each<[health: Instance['health'], served: boolean]>([
  ['passing', true],
  ['warning', true],
  ['critical', false],
  ['maintenance', false],
])('a %s instance is served: %j', (health, served) => {
  expect(planInstances([anInstance({ health })], {}, UNRESOLVED).instances).toHaveLength(served ? 1 : 0);
});

test.each<[at: Partial<Instance>, problem: RegExp | undefined]>([
  [{ address: '10.0.0.1' }, undefined],
  [{ address: '::1' }, undefined],
  [{ address: '2001:db8::10.0.0.1' }, undefined],
  [{ port: 1 }, undefined],
  [{ port: 65_535 }, undefined],
  [{ port: 0 }, /from 1 to 65535/],
  [{ port: 65_536 }, /from 1 to 65535/],
  [{ port: -1 }, /from 1 to 65535/],
  [{ port: 80.5 }, /from 1 to 65535/],
  [{ address: '' }, /IP address or a host name/],
  [{ address: '10.0.0.1 weight 256' }, /IP address or a host name/],
  [{ address: '10.0.0.1\n  server evil 127.0.0.1:1' }, /IP address or a host name/],
  [{ address: '/var/run/x.sock' }, /IP address or a host name/],
  [{ address: 'unix@/x' }, /IP address or a host name/],
  [{ address: '[::1]' }, /IP address or a host name/],
  [{ address: 'fe80::1%eth0' }, /IP address or a host name/],
])('an instance at %j has the problem %s', (at, problem) => {
  const planned = planInstances([anInstance({ id: 'ok' }), anInstance({ id: 'x', ...at })], {}, UNRESOLVED);

  expect(planned.instances).toHaveLength(problem === undefined ? 2 : 1);
  expect(planned.problems).toEqual(
    problem === undefined ? [] : [expect.objectContaining({ subject: 'web', reason: expect.stringMatching(problem), related: ['x'] })],
  );
});

test('a host name is asked for, then is the address that it has, or a problem', () => {
  const named = [anInstance({ address: 'db.example' })];

  expect(planInstances(named, {}, new Map())).toEqual({ instances: [], problems: [], hostNames: ['db.example'] });
  expect(planInstances(named, {}, new Map([['db.example', '10.9.9.9']])).instances).toMatchObject([{ address: '10.9.9.9' }]);
  expect(planInstances(named, {}, new Map([['db.example', null]])).problems).toMatchObject([
    { subject: 'web', value: 'db.example', reason: expect.stringContaining('does not resolve') },
  ]);
});

test('a host name may end in a dot, one dot', () => {
  const absolute = { ...anInstance(), address: 'db.example.' };

  expect(planInstances([absolute], {}, new Map()).hostNames).toEqual(['db.example.']);
  expect(planInstances([absolute], {}, new Map([['db.example.', '10.0.0.9']])).instances).toMatchObject([{ address: '10.0.0.9' }]);
  expect(planInstances([{ ...absolute, address: 'db.example..' }], {}, new Map()).problems).toMatchObject([{ value: 'db.example..' }]);
});

test('a number that looks like an address and is none is a host name, not an address', () => {
  expect(planInstances([anInstance({ address: '256.1.1.1' })], {}, new Map()).hostNames).toEqual(['256.1.1.1']);
});

test('the name says ID, address and port, so that an instance that moved is another one', () => {
  const name = (given: Partial<Instance>) => planInstances([anInstance(given)], {}, UNRESOLVED).instances[0]?.name;

  expect(name({ id: 'host:web:80' })).toBe('host:web:80_10.0.0.1:8080');
  expect(name({ id: 'host:web:80', address: '10.0.0.2' })).toBe('host:web:80_10.0.0.2:8080');
  expect(name({ id: 'a b;#"\'\n\\/ä' })).toBe('a_b_________10.0.0.1:8080');
  expect(name({ id: 'x'.repeat(300) })).toBe(`${'x'.repeat(100)}_10.0.0.1:8080`);
  expect(name({ id: 'a', address: '::1' })).toBe('a_::1:8080');
});

test('one instance that two nodes register is one', () => {
  const twice = [anInstance({ node: 'n1' }), anInstance({ node: 'n2' })];

  expect(planInstances(twice, {}, UNRESOLVED).instances).toHaveLength(1);
});

test('a problem that several instances have in common is one', () => {
  const many = ['a', 'b', 'c'].map((id) => anInstance({ id, tags: ['haproxy', 'weight=999'] }));

  expect(planInstances(many, {}, UNRESOLVED).problems).toHaveLength(1);
});
