import { expect, test } from '@jest/globals';
import type { EdgePlan } from '../../../model/edge.ts';
import { weight } from '../../../model/weight.ts';
import { changeOfEdge, type EdgeAction } from '../../../templater/haproxy/edge-change.ts';
import { plainSection } from '../../../templater/haproxy/plain-section.ts';
import { type RunningEdge, type RunningInstance, runningAsPlanned } from '../../../templater/haproxy/running-edge.ts';
import type { EdgeShape } from '../../../templater/haproxy/shape.ts';
import { ENOUGH_FILES, edgeGroup, edgeInstance, edgePlan, type PlanParts, runningWith, shapeOf } from './a-plan.ts';

const [a, b] = [edgeInstance('a'), edgeInstance('b')];

/** The actions as short texts, in order. */
function shown(action: EdgeAction): string {
  if (action.kind === 'map') {
    const entries = (sign: string, map: ReadonlyMap<string, string>) => [...map].map(([key, group]) => `${sign}${key}→${group}`);
    return [action.map, ...entries('+', action.add), ...entries('=', action.set), ...action.drop.map((key) => `-${key}`)].join(' ');
  }
  if (action.kind === 'certificate') return `certificate ${action.name} ${action.certificate.sha1}`;
  if (action.kind === 'open') return `open ${action.frontend}`;
  if (action.kind === 'unthrottle') return action.throttle.undo;
  if (action.kind === 'address') return `address ${action.group}/${action.name} ${action.address}:${action.port}`;
  if (action.kind === 'cookies') return `cookies ${action.group}`;
  if (action.kind === 'add-group' || action.kind === 'drop-group') return `${action.kind} ${action.group}`;
  const rest = action.kind === 'weight' ? ` ${action.weight}` : action.kind === 'max-connections' ? ` ${action.maxConnections}` : '';
  const checked = action.kind === 'add' && action.checked ? ' checked' : '';
  return `${action.kind} ${action.group}/${action.kind === 'add' ? action.instance.name : action.name}${rest}${checked}`;
}

type Row = [title: string, running: PlanParts, wanted: PlanParts, actions: string[], reasons?: string[]];

test.each<Row>([
  [
    'another certificate in a file that is loaded',
    { certificates: { 'a.pem': 'AA' } },
    { certificates: { 'a.pem': 'BB' } },
    ['certificate a.pem BB'],
  ],
  ['a certificate in a new file comes with the reload', {}, { certificates: { 'a.pem': 'AA' } }, []],
  ['nothing', { groups: [edgeGroup('web', [a])] }, { groups: [edgeGroup('web', [a])] }, []],
  ['an instance more', { groups: [edgeGroup('web', [a])] }, { groups: [edgeGroup('web', [a, b])] }, ['add web/b']],
  [
    'an instance more of a group with a check',
    { groups: [edgeGroup('web')] },
    { groups: [edgeGroup('web', [a], { check: { method: 'GET', path: '/' } })] },
    ['add web/a checked'],
  ],
  [
    'instances more of a sticky group',
    { groups: [edgeGroup('web', [], { sticky: 'instance' })] },
    { groups: [edgeGroup('web', [a, b], { sticky: 'instance' })] },
    ['add web/a', 'add web/b', 'cookies web'],
  ],
  [
    'instances more of a sticky group of TCP, which has no cookies',
    { groups: [edgeGroup('db', [], { mode: 'tcp', sticky: 'instance' })] },
    { groups: [edgeGroup('db', [a], { mode: 'tcp', sticky: 'instance' })] },
    ['add tcp:db/a'],
  ],
  [
    'rules for wildcard hosts and for paths of hosts',
    { groups: [edgeGroup('web'), edgeGroup('shop')], vhosts: { '*.a.test': 'web', 'b.test/x': 'web' } },
    { groups: [edgeGroup('web'), edgeGroup('shop')], vhosts: { '*.a.test': 'shop', '*.a.test/y': 'web' } },
    ['vhosts +a.test/y/→web =a.test/→shop -=b.test/x/'],
  ],
  ['an instance less', { groups: [edgeGroup('web', [a, b])] }, { groups: [edgeGroup('web', [a])] }, ['stop web/b', 'remove web/b']],
  [
    'one for another: the new one first',
    { groups: [edgeGroup('web', [a])] },
    { groups: [edgeGroup('web', [b])] },
    ['add web/b', 'stop web/a', 'remove web/a'],
  ],
  [
    'another weight',
    { groups: [edgeGroup('web', [a])] },
    { groups: [edgeGroup('web', [edgeInstance('a', { weight: weight(50) })])] },
    ['weight web/a 50'],
  ],
  [
    'another limit',
    { groups: [edgeGroup('web', [a])] },
    { groups: [edgeGroup('web', [edgeInstance('a', { maxConnections: 5 })])] },
    ['max-connections web/a 5'],
  ],
  [
    'a group less goes with the next reload, its instances now',
    { groups: [edgeGroup('web', [a])], hosts: { 'web.x': 'web' } },
    {},
    ['hosts -web.x', 'stop web/a', 'remove web/a'],
  ],
  [
    'a host more, and one elsewhere',
    { groups: [edgeGroup('web'), edgeGroup('shop')], hosts: { h: 'web' } },
    { groups: [edgeGroup('web'), edgeGroup('shop')], hosts: { h: 'shop', i: 'web' } },
    ['hosts +i→web =h→shop'],
  ],
  [
    'a path has its slash in the map',
    { groups: [edgeGroup('web')] },
    { groups: [edgeGroup('web')], paths: { '/p': 'web', '/': 'web' } },
    ['paths +/p/→web +/→web'],
  ],
  [
    'a new group: a reload; its hosts wait for it, everything else does not',
    { groups: [edgeGroup('web', [a])] },
    { groups: [edgeGroup('web', [a, b]), edgeGroup('new', [a])], hosts: { 'new.x': 'new', 'web.x': 'web' } },
    ['add web/b', 'hosts +web.x→web'],
    ['new is new'],
  ],
  [
    'a host goes to a group that is not loaded yet: it stays until the reload',
    { groups: [edgeGroup('web')], hosts: { h: 'web' } },
    { groups: [edgeGroup('new')], hosts: { h: 'new' } },
    [],
    ['new is new'],
  ],
])('%s', (_, running, wanted, actions, reasons = []) => {
  const plan = edgePlan(wanted);

  const change = changeOfEdge(runningWith(edgePlan(running)), plan, shapeOf(plan), false);

  expect({ actions: change.actions.map(shown), reasons: change.reasons }).toEqual({ actions, reasons });
});

/** A plan's shape as it is rendered, and as a HAProxy knows it that takes backends at run time. */
function plainShapeOf(plan: EdgePlan, more: Readonly<Record<string, string>> = {}): EdgeShape {
  const groups = [...plan.groups.values()].map(
    ({ key, mode, balance }) => [key, plainSection(key, mode, balance) + (more[key] ?? '')] as const,
  );
  return { ...shapeOf(plan), groups: new Map(groups) };
}

test.each<Row>([
  [
    'a new group, its instances and then its hosts',
    { groups: [edgeGroup('web', [a])] },
    { groups: [edgeGroup('web', [a]), edgeGroup('new', [b])], hosts: { 'new.x': 'new' } },
    ['add-group new', 'add new/b', 'hosts +new.x→new'],
  ],
  ['a group with options of its own is a reload', {}, { groups: [edgeGroup('special', [a])] }, [], ['special is new']],
  [
    'a group less stays until its instances are gone',
    { groups: [edgeGroup('web', [a])], hosts: { h: 'web' } },
    {},
    ['hosts -h', 'stop web/a', 'remove web/a'],
  ],
  ['then it goes', { groups: [edgeGroup('web')] }, {}, ['drop-group web']],
  [
    'but not while a listener leads to it',
    { groups: [edgeGroup('db', [], { mode: 'tcp' })], listeners: { 5432: 'tcp:db' } },
    {},
    [],
    ['TCP port 5432 of tcp:db closes'],
  ],
])('where HAProxy takes backends: %s', (_, running, wanted, actions, reasons = []) => {
  const [before, plan] = [edgePlan(running), edgePlan(wanted)];
  const shape = plainShapeOf(plan, { special: '\n    option httpchk' });

  const change = changeOfEdge(
    runningAsPlanned({ pid: 1, fingerprint: 'f', limit: ENOUGH_FILES, throttles: [] }, before, plainShapeOf(before)),
    plan,
    shape,
    true,
  );

  expect({ actions: change.actions.map(shown), reasons: change.reasons }).toEqual({ actions, reasons });
});

/** Web as HAProxy has it after the instance `a` was changed by hand. */
function runningWithA(given: Partial<RunningInstance>): RunningEdge {
  const running = runningWith(edgePlan({ groups: [edgeGroup('web', [a])] }));
  return { ...running, instances: new Map([['web', new Map([['a', { weight: 100, maxConnections: 128, ready: true, ...given }]])]]) };
}

test.each<[title: string, running: Partial<RunningInstance>, wanted: PlanParts, actions: string[]]>([
  ['one that was stopped is wanted again', { ready: false }, { groups: [edgeGroup('web', [a])] }, ['ready web/a']],
  ['one that was stopped is not: it is only removed', { ready: false }, { groups: [edgeGroup('web')] }, ['remove web/a']],
  [
    'one that was given another address by hand gets its own again',
    { moved: '10.0.0.9:80' },
    { groups: [edgeGroup('web', [a])] },
    ['address web/a 10.0.0.1:8080'],
  ],
  [
    'a limit that HAProxy did not tell is set',
    { maxConnections: undefined },
    { groups: [edgeGroup('web', [a])] },
    ['max-connections web/a 128'],
  ],
])('%s', (_, running, wanted, actions) => {
  const plan = edgePlan(wanted);

  expect(changeOfEdge(runningWithA(running), plan, shapeOf(plan), false).actions.map(shown)).toEqual(actions);
});

test('what was throttled and closed by hand is let go and opened before anything else', () => {
  const plan = edgePlan({ groups: [edgeGroup('web', [a])] });
  const throttles = [{ what: 'it takes 1 sessions a second', undo: 'set rate-limit sessions global 0' }];
  const running = { ...runningWith(edgePlan({ groups: [edgeGroup('web')] })), closed: ['toots:web'], throttles };

  expect(changeOfEdge(running, plan, shapeOf(plan), false).actions.map(shown)).toEqual([
    'set rate-limit sessions global 0',
    'open toots:web',
    'add web/a',
  ]);
});

test('a HAProxy of unknown shape is reloaded, and told nothing before', () => {
  const plan = edgePlan({ groups: [edgeGroup('web', [a])], hosts: { h: 'web' } });

  const change = changeOfEdge({ ...runningWith(edgePlan({})), shape: undefined }, plan, shapeOf(plan), false);

  expect(change.actions).toEqual([]);
  expect(change.reasons).toHaveLength(1);
});
