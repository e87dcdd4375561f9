import fc from 'fast-check';
import type { Catalog } from '../../model/catalog.ts';
import type { Instance } from '../../model/instance.ts';
import { aCatalog } from './a-catalog.ts';

const tag = fc.oneof(
  fc.constantFrom(
    'haproxy',
    'webapp',
    'weight=1',
    'weight=300',
    'haproxy_weight=x',
    'haproxy_maxconn=5',
    'haproxy_balance=source',
    'haproxy_balance=first',
    'haproxy_balance=x',
    'haproxy_httpchk=/a',
    'haproxy_httpchk=/b',
  ),
  fc.constantFrom('/a', '/b', '/a/b', '/', 'x').map((path) => `haproxy_route=${path}`),
  fc.constantFrom(80, 81, 9000, 9001, 70_000).map((port) => `haproxy_tcp=${port}`),
);
const instance: fc.Arbitrary<Instance> = fc.record({
  service: fc.constantFrom('a', 'A', 'b', 'web', 'a b', 'Ab'),
  id: fc.constantFrom('1', '2', '3', 'x y'),
  node: fc.constantFrom('n1', 'n2'),
  address: fc.constantFrom('10.0.0.1', '10.0.0.2', '::1', 'named', 'no address'),
  port: fc.constantFrom(80, 8080, 0),
  tags: fc.array(tag, { maxLength: 5 }),
  meta: fc.constant({}),
  health: fc.constantFrom('passing', 'warning', 'critical', 'maintenance'),
  nodeLost: fc.boolean(),
});
/** A node has an ID once. */
export const anyInstances = fc.uniqueArray(instance, { maxLength: 12, selector: ({ node, id }) => `${node} ${id}` });

type Change = (before: readonly Instance[]) => readonly Instance[];

/** One instance has other tags, port and health; its service and name stay. */
const oneChanges: fc.Arbitrary<Change> = fc.tuple(fc.nat(), instance).map(
  ([nth, { tags, port, health }]) =>
    (before) =>
      before.map((one, i) => (i === nth % before.length ? { ...one, tags, port, health } : one)),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: oneChanges },
  { weight: 1, arbitrary: anyInstances.map((list) => () => list) },
);

/** Catalogs one after the other: most differ in one instance. */
export const anySteps: fc.Arbitrary<readonly Catalog[]> = fc
  .tuple(anyInstances, fc.array(fc.tuple(change, fc.constantFrom('', '', '', '5', 'x')), { minLength: 1, maxLength: 12 }))
  .map(([first, changes]) => {
    const lists = [first];
    for (const [make] of changes) lists.push([...make(lists.at(-1) ?? [])]);
    return lists.map((list, i) => {
      const limit = changes[i]?.[1] ?? '';
      return aCatalog(list, { keys: limit === '' ? new Map() : new Map([['haproxy/a/maxconn', limit]]) });
    });
  });
