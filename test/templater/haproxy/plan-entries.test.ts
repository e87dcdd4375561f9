import { expect, test } from '@jest/globals';
import type { EdgePlan } from '../../../model/edge.ts';
import { weight } from '../../../model/weight.ts';
import { pinnedPlan } from '../../../templater/haproxy/pinned-plan.ts';
import {
  changeOfEntries,
  changeOfPlan,
  diffLines,
  type PlanEntries,
  planOfEntries,
  withChange,
} from '../../../templater/haproxy/plan-entries.ts';
import { edgeGroup, edgeInstance, edgePlan } from './a-plan.ts';

const entriesOf = (plan: EdgePlan): PlanEntries => withChange(new Map(), changeOfPlan(undefined, plan));

const before = edgePlan({
  groups: [edgeGroup('web', [edgeInstance('a')], { check: { method: 'GET', path: '/' } }), edgeGroup('db', [], { mode: 'tcp' })],
  hosts: { 'web.x': 'web' },
  paths: { '/': 'web', '/p': 'web' },
  listeners: { 5432: 'tcp:db' },
});
const after = edgePlan({
  groups: [
    edgeGroup('web', [edgeInstance('a', { weight: weight(7) }), edgeInstance('b')], { check: { method: 'GET', path: '/' } }),
    edgeGroup('new'),
  ],
  hosts: { 'web.x': 'new' },
  paths: { '/': 'web' },
});

test('a plan comes back from its texts, without its certificates', () => {
  expect(planOfEntries(entriesOf(edgePlan({ certificates: { 'a.pem': 'AA' } }))).certificates.size).toBe(0);
  expect(planOfEntries(entriesOf(before))).toEqual({ ...before, certificates: new Map() });
});

test('what changes one plan to the next changes its texts likewise', () => {
  const change = changeOfPlan(before, after);

  expect(new Map(withChange(entriesOf(before), change))).toEqual(new Map(entriesOf(after)));
  expect(changeOfEntries(entriesOf(before), entriesOf(after)).drop.toSorted()).toEqual([...change.drop].sort());
  expect(changeOfPlan(after, after)).toEqual({ set: [], drop: [] });
});

test('an operator reads instances, hosts, paths and ports that come and go, and nothing of what stays', () => {
  expect(diffLines(entriesOf(before), changeOfPlan(before, after))).toEqual([
    '+ HTTP service new: balance roundrobin',
    '- TCP service tcp:db: balance roundrobin',
    '- instance web/a at 10.0.0.1:8080, weight 100, at most 128 connections',
    '+ instance web/a at 10.0.0.1:8080, weight 7, at most 128 connections',
    '+ instance web/b at 10.0.0.1:8080, weight 100, at most 128 connections',
    '- host web.x → web',
    '+ host web.x → new',
    '- TCP port 5432 → tcp:db',
    '- path /p → web',
  ]);
});

test('hashes of passwords are no part of what an operator reads', () => {
  const plan = edgePlan({ groups: [edgeGroup('web', [], { users: [{ name: 'joe', hash: '$6$secret' }] })] });

  expect(diffLines(new Map(), changeOfPlan(undefined, plan))).toEqual(['+ HTTP service web: balance roundrobin, users ["joe"]']);
});

test('a pinned plan has the rules and weights of then, the instances of now, and no service that came later', () => {
  const now = edgePlan({
    groups: [edgeGroup('web', [edgeInstance('a', { weight: weight(7) }), edgeInstance('c')]), edgeGroup('late', [edgeInstance('z')])],
    hosts: { 'late.x': 'late' },
    certificates: { 'a.pem': 'AA' },
  });

  const pinned = pinnedPlan(before, now);

  expect(pinned.groups.get('web')).toEqual({ ...before.groups.get('web'), instances: [edgeInstance('a'), edgeInstance('c')] });
  expect(pinned.groups.get('tcp:db')?.instances).toEqual([]);
  expect([...pinned.groups.keys(), ...pinned.hosts.keys()]).toEqual(['web', 'tcp:db', 'web.x']);
  expect(pinned.certificates).toBe(now.certificates);
  expect(pinnedPlan(before, now).groups.get('web')).toBe(pinned.groups.get('web'));
});
