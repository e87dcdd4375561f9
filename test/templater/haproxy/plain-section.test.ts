import { expect, test } from '@jest/globals';
import { BALANCES } from '../../../model/edge.ts';
import { edgeFiles } from '../../../templater/haproxy/edge-settings.ts';
import { defaultsOfSection, PLAIN_DEFAULTS, plainSection } from '../../../templater/haproxy/plain-section.ts';
import { createRenderer } from '../../../templater/haproxy/render.ts';
import { edgeGroup, edgePlan, SETTINGS } from './a-plan.ts';

const render = createRenderer(SETTINGS, edgeFiles(SETTINGS.runDir), { version: '3.4', prometheus: true, addsBackends: true });

test.each(BALANCES)('a service that says no more than balance %s has the section that HAProxy makes of its defaults', (balance) => {
  const { shape, config } = render(edgePlan({ groups: [edgeGroup('web.api', [], { balance })] }));
  const section = shape.groups.get('web.api') ?? '';

  expect(section).toBe(plainSection('web.api', 'http', balance));
  expect(defaultsOfSection(section)).toBe(`toots:http:${balance}`);
  expect(config()).toContain(`\ndefaults toots:http:${balance} from toots:http\n    balance ${balance}\n`);
});

test('so has a TCP service', () => {
  const { shape } = render(edgePlan({ groups: [edgeGroup('db', [], { mode: 'tcp', balance: 'leastconn' })] }));

  expect(defaultsOfSection(shape.groups.get('tcp:db') ?? '')).toBe('toots:tcp:leastconn');
});

test.each([
  ['a check', edgeGroup('web', [], { check: { method: 'GET', path: '/' } })],
  ['a redirect', edgeGroup('web', [], { redirect: 'https' })],
])('a service with %s says more than defaults can', (_, group) => {
  const plan = edgePlan({ groups: [group], certificates: { 'a.pem': 'AA' } });

  expect(defaultsOfSection(render(plan).shape.groups.get('web') ?? '')).toBeUndefined();
});

test('an older HAProxy reads no defaults that nobody uses', () => {
  const older = createRenderer(SETTINGS, edgeFiles(SETTINGS.runDir), { version: '2.6', prometheus: true, addsBackends: false });

  for (const { name } of PLAIN_DEFAULTS) expect(older(edgePlan({})).config()).not.toContain(name);
});
