import { expect, test } from '@jest/globals';
import type { EdgeGroup, HttpCheck } from '../../../model/edge.ts';
import { createRenderer } from '../../../templater/haproxy/render.ts';
import { isAsValid } from '../../../templater/haproxy/valid-config.ts';
import { edgeGroup, edgeInstance, edgePlan, FILES, type PlanParts, SETTINGS } from './a-plan.ts';

const check: HttpCheck = { method: 'GET', path: '/' };
const render = createRenderer(SETTINGS, FILES, { version: '2.6', prometheus: false, addsBackends: false });
const of = (groups: readonly EdgeGroup[], more: PlanParts = {}) => render(edgePlan({ groups, ...more }));
const valid = of([edgeGroup('web'), edgeGroup('checked', [], { check })]);

test.each([
  ['instances', of([edgeGroup('web', [edgeInstance('a')]), edgeGroup('checked', [], { check })]), true],
  ['a group of a name, a mode and a balance', of([edgeGroup('web'), edgeGroup('new', [], { balance: 'uri' })]), true],
  ['a port', of([edgeGroup('web'), edgeGroup('db', [], { mode: 'tcp' })], { listeners: { 5432: 'tcp:db' } }), true],
  ['a group that went', of([edgeGroup('web')]), true],
  ['a group with an option', of([edgeGroup('web'), edgeGroup('new', [], { check })]), false],
  ['an option of a group', of([edgeGroup('web', [], { check })]), false],
  ['certificates', of([edgeGroup('web')], { certificates: { 'a.pem': 'AB' } }), false],
])('whether HAProxy need not be asked again, when what differs is %s', (_, rendered, expected) => {
  expect(isAsValid(rendered, valid)).toBe(expected);
});

test('what was never called valid, or not loaded, is asked about', () => {
  expect(isAsValid(valid, undefined)).toBe(false);
});
