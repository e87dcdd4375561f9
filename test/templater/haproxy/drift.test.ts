import { expect, test } from '@jest/globals';
import { driftOf } from '../../../templater/haproxy/drift.ts';
import type { RunningEdge, RunningInstance } from '../../../templater/haproxy/running-edge.ts';
import { edgeGroup, edgeInstance, edgePlan, runningWith } from './a-plan.ts';

const OURS = runningWith(
  edgePlan({
    groups: [edgeGroup('web', [edgeInstance('a'), edgeInstance('b')])],
    hosts: { 'web.x': 'web' },
    vhosts: { '*.w.x': 'web' },
    paths: { '/p': 'web' },
  }),
);

/** As HAProxy tells it: it does not say limits. */
function seen(instances: Record<string, Partial<RunningInstance>>, rest: Partial<RunningEdge> = {}): RunningEdge {
  const web = Object.entries(instances).map(
    ([name, given]) => [name, { weight: 100, maxConnections: undefined, ready: true, ...given }] as const,
  );
  return { ...OURS, instances: new Map([['web', new Map(web)]]), ...rest };
}

test.each<[title: string, seen: RunningEdge, drift: string[]]>([
  ['nothing', seen({ a: {}, b: {} }), []],
  ['another worker of the same shape', seen({ a: {}, b: {} }, { pid: 2 }), []],
  ['a weight', seen({ a: { weight: 7 }, b: {} }), ['web/a has weight 7, not 100']],
  ['a limit', seen({ a: { maxConnections: 3 }, b: { maxConnections: 128 } }), ['web/a takes 3 connections, not 128']],
  ['an address', seen({ a: { moved: '10.9.9.9:80' }, b: {} }), ['web/a is at 10.9.9.9:80']],
  ['a closed frontend', seen({ a: {}, b: {} }, { closed: ['toots:web'] }), ['toots:web takes no connections']],
  [
    'a throttle',
    seen({ a: {}, b: {} }, { throttles: [{ what: 'it takes 5 connections, not 9986', undo: 'set maxconn global 9986' }] }),
    ['it takes 5 connections, not 9986'],
  ],
  ['maintenance', seen({ a: { ready: false }, b: {} }), ['web/a is in maintenance or drain']],
  ['a server less', seen({ b: {} }), ['web/a is gone']],
  ['a server more', seen({ a: {}, b: {}, c: {} }), ['web/c was added']],
  ['a host less', seen({ a: {}, b: {} }, { hosts: new Map() }), ['host web.x leads to nothing, not web']],
  ['a host more', seen({ a: {}, b: {} }, { hosts: new Map([...OURS.hosts, ['evil', 'web']]) }), ['host evil was added']],
  [
    'a wildcard host elsewhere',
    seen({ a: {}, b: {} }, { vhosts: new Map([['w.x/', 'shop']]) }),
    ['virtual host w.x/ leads to shop, not web'],
  ],
  ['a path elsewhere', seen({ a: {}, b: {} }, { paths: new Map([['/p/', 'shop']]) }), ['path /p/ leads to shop, not web']],
  ['another configuration', seen({ a: {}, b: {} }, { shape: undefined }), ['it was loaded with another configuration']],
])('%s', (_, now, drift) => {
  expect(driftOf(OURS, now)).toEqual(drift);
});
