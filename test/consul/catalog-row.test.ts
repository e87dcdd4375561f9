import { expect, test } from '@jest/globals';
import { parseCheckTable, parseNodeServices, parseNodeTable, touchedBy } from '../../consul/catalog-row.ts';

function check(id: string, service: string, modifyIndex: number, node = 'n1'): object {
  return { Node: node, CheckID: id, ServiceName: service, ModifyIndex: modifyIndex };
}

const WEB = check('c1', 'web', 5);
const NODE = check('serfHealth', '', 6);

test.each<readonly [string, readonly object[], readonly object[], readonly string[], readonly string[]]>([
  ['nothing', [WEB, NODE], [NODE, WEB], [], []],
  ['a newer check', [WEB, NODE], [check('c1', 'web', 7), NODE], ['web'], []],
  ['a check that came', [NODE], [WEB, NODE], ['web'], []],
  ['a check that went', [WEB, NODE], [NODE], ['web'], []],
  ['a check of a node', [WEB, NODE], [WEB, check('serfHealth', '', 8)], [], ['n1']],
  ['a check that now belongs to another service', [WEB], [check('c1', 'api', 5)], ['api', 'web'], []],
  ['the same check ID on another node', [WEB], [WEB, check('c1', 'web', 5, 'n2')], ['web'], []],
  ['an index that went back', [WEB, NODE], [check('c1', 'web', 2), NODE], ['web'], []],
])('%s touches what it belongs to', (_, before, after, services, nodes) => {
  const touched = touchedBy(parseCheckTable(before), parseCheckTable(after));

  expect([...touched.services].sort()).toEqual(services);
  expect([...touched.nodes]).toEqual(nodes);
});

test('reads the instances of a node', () => {
  const json = {
    Node: { Node: 'n1' },
    Services: { a: { ID: 'a', Service: 'web', ModifyIndex: 3 }, b: { ID: 'b', Service: 'api', ModifyIndex: 4 } },
  };

  expect([...parseNodeServices(json, 'n1')]).toEqual([
    ['n1\na', { node: 'n1', service: 'web', modifyIndex: 3 }],
    ['n1\nb', { node: 'n1', service: 'api', modifyIndex: 4 }],
  ]);
});

test('a node that is gone has no instances', () => {
  expect(parseNodeServices(null, 'n1').size).toBe(0);
});

test('reads the nodes', () => {
  expect([...parseNodeTable([{ Node: 'n1', ModifyIndex: 3 }])]).toEqual([['n1', { node: 'n1', service: '', modifyIndex: 3 }]]);
});

test.each([
  ['checks', () => parseCheckTable({})],
  ['nodes', () => parseNodeTable('x')],
  ['a node', () => parseNodeServices([], 'n1')],
])('an answer of another shape is no table of %s', (_, parse) => {
  expect(parse).toThrow(TypeError);
});
