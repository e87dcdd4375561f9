import { expect, test } from '@jest/globals';
import { parseHealthEntries, worstHealth } from '../../consul/health-entry.ts';

/** As Consul 1.8 answers, cut to what is read. */
const ENTRY = {
  Node: { ID: 'n-1', Node: 'slave1', Address: '10.0.0.1', Datacenter: 'dc1', TaggedAddresses: { lan: '10.0.0.1' }, Meta: { rack: 'r1' } },
  Service: {
    ID: 'web-1',
    Service: 'web',
    Tags: ['b', 'a'],
    Address: '',
    TaggedAddresses: { wan: { Address: '1.2.3.4', Port: 8080 } },
    Meta: { version: '2' },
    Port: 80,
    Weights: { Passing: 10, Warning: 1 },
  },
  Checks: [
    { Node: 'slave1', CheckID: 'serfHealth', Name: 'Serf', Status: 'passing', Notes: 'n', Output: 'alive', ServiceID: '', ServiceName: '' },
    { CheckID: 'service:web-1', Status: 'warning', ServiceID: 'web-1', ServiceName: 'web', ServiceTags: ['b'] },
  ],
};

test('reads all that a template may show', () => {
  expect(parseHealthEntries([ENTRY], 'web')).toEqual({
    unreadable: 0,
    entries: [
      {
        node: 'slave1',
        nodeId: 'n-1',
        nodeAddress: '10.0.0.1',
        datacenter: 'dc1',
        nodeTaggedAddresses: { lan: '10.0.0.1' },
        nodeMeta: { rack: 'r1' },
        id: 'web-1',
        name: 'web',
        tags: ['b', 'a'],
        address: '10.0.0.1',
        port: 80,
        meta: { version: '2' },
        taggedAddresses: { wan: { address: '1.2.3.4', port: 8080 } },
        weights: { passing: 10, warning: 1 },
        status: 'warning',
        checks: [
          {
            id: 'serfHealth',
            name: 'Serf',
            node: 'slave1',
            status: 'passing',
            notes: 'n',
            output: 'alive',
            serviceId: '',
            serviceName: '',
            serviceTags: [],
          },
          {
            id: 'service:web-1',
            name: '',
            node: '',
            status: 'warning',
            notes: '',
            output: '',
            serviceId: 'web-1',
            serviceName: 'web',
            serviceTags: ['b'],
          },
        ],
      },
    ],
  });
});

test('the service’s own address counts before its node’s', () => {
  const { entries } = parseHealthEntries([{ ...ENTRY, Service: { ...ENTRY.Service, Address: '10.9.9.9' } }], 'web');

  expect(entries[0]?.address).toBe('10.9.9.9');
});

test('null in place of a list or a map is an empty one', () => {
  const bare = {
    Node: { Node: 'n', Address: 'a', Meta: null },
    Service: { ID: 'i', Service: 'web', Tags: null, Meta: null },
    Checks: null,
  };

  const { entries } = parseHealthEntries([bare], 'web');

  expect(entries[0]).toMatchObject({ tags: [], meta: {}, nodeMeta: {}, checks: [], port: 0, status: 'passing', weights: { passing: 1 } });
});

test('an entry of a name that only looks equal is left out: Consul’s look-up ignores case', () => {
  expect(parseHealthEntries([{ ...ENTRY, Service: { ...ENTRY.Service, Service: 'Web' } }], 'web')).toEqual({ entries: [], unreadable: 0 });
});

test.each([
  ['no object', 7],
  ['no node', { ...ENTRY, Node: undefined }],
  ['no service', { ...ENTRY, Service: null }],
  ['no ID', { ...ENTRY, Service: { ...ENTRY.Service, ID: '' } }],
  ['a name that is no text', { ...ENTRY, Service: { ...ENTRY.Service, Service: 7 } }],
])('an entry with %s is counted, and the others are kept', (_, item) => {
  const { entries, unreadable } = parseHealthEntries([item, ENTRY], 'web');

  expect(unreadable).toBe(1);
  expect(entries.map(({ id }) => id)).toEqual(['web-1']);
});

test.each([null, {}, 'x', 7])('%j is no answer', (json) => {
  expect(() => parseHealthEntries(json, 'web')).toThrow(TypeError);
});

test.each([
  [[], 'passing'],
  [['passing', 'passing'], 'passing'],
  [['passing', 'warning'], 'warning'],
  [['warning', 'critical', 'passing'], 'critical'],
  [['critical', 'warning'], 'critical'],
  [['something'], 'critical'],
  [['critical', '_service_maintenance:web-1'], 'maintenance'],
  [['_node_maintenance', 'passing'], 'maintenance'],
])('the worst of %j is %s', (statuses, expected) => {
  const checks = statuses.map((status) => ({
    id: status.startsWith('_') ? status : 'c',
    status: status.startsWith('_') ? 'critical' : status,
    name: '',
    node: '',
    notes: '',
    output: '',
    serviceId: '',
    serviceName: '',
    serviceTags: [],
  }));

  expect(worstHealth(checks)).toBe(expected);
});
