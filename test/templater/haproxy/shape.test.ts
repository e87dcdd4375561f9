import { expect, test } from '@jest/globals';
import { decodeShape, type EdgeShape, encodeShape, fingerprint, reloadReasons } from '../../../templater/haproxy/shape.ts';

const SHAPE: EdgeShape = {
  base: 'global',
  listeners: new Map([[9000, 'tcp:db']]),
  groups: new Map([
    ['web', 'backend web'],
    ['tcp:db', 'backend tcp:db'],
  ]),
};

type Row = [title: string, wanted: Partial<EdgeShape>, reasons: string[]];

test.each<Row>([
  ['nothing differs', {}, []],
  ['a group is new', { groups: new Map([...SHAPE.groups, ['shop', 'backend shop']]) }, ['shop is new']],
  ['a group is no longer wanted', { groups: new Map([['tcp:db', 'backend tcp:db']]) }, []],
  [
    'a group has other options',
    { groups: new Map([...SHAPE.groups, ['web', 'backend web\n    balance first']]) },
    ['the options of web changed'],
  ],
  ['a port opens', { listeners: new Map([...SHAPE.listeners, [9001, 'tcp:db']]) }, ['TCP port 9001 opens for tcp:db']],
  ['a port closes', { listeners: new Map() }, ['TCP port 9000 of tcp:db closes']],
  ['a port leads elsewhere', { listeners: new Map([[9000, 'web']]) }, ['TCP port 9000 goes from tcp:db to web']],
  ['the settings differ', { base: 'global\n    nbthread 1' }, ['the settings of the edge changed']],
  [
    'much at once',
    { listeners: new Map([[9001, 'new']]), groups: new Map([['new', 'backend new']]) },
    ['new is new', 'TCP port 9001 opens for new', 'TCP port 9000 of tcp:db closes'],
  ],
])('%s: %3$j', (_, wanted, reasons) => {
  expect(reloadReasons(SHAPE, { ...SHAPE, ...wanted })).toEqual(reasons);
});

test('files of certificates that come and go are told', () => {
  const web = (https: string) => ({ ...SHAPE, base: `global\nfrontend web\n    bind 1:80 name http\n${https}    http-request x\n` });
  const with1 = web('    # a.pem\n    bind 1:443 name https ssl\n');

  for (const after of [web(''), web('    # a.pem b.pem\n    bind 1:443 name https ssl\n')])
    expect(reloadReasons(with1, after)).toEqual(['a certificate is new or gone']);
  expect(reloadReasons(with1, web('    # a.pem\n    bind 1:443 name https ssl\n    other\n'))).toEqual([
    'the settings of the edge changed',
  ]);
});

test('a HAProxy of unknown shape is always reloaded', () => {
  expect(reloadReasons(undefined, SHAPE)).toEqual(['HAProxy was loaded with a configuration that is not known here']);
});

test('a shape survives its file', () => {
  expect(decodeShape(encodeShape(SHAPE))).toEqual(SHAPE);
});

test.each(['', 'null', '[]', '{}', '{"base":"","listeners":{},"groups":[]}', '{"base":"","listeners":[1],"groups":[]}', '{"base":'])(
  'a file with %j holds none',
  (text) => {
    expect(() => decodeShape(text)).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
  },
);

test('a fingerprint is of the whole shape, and of nothing else', () => {
  const all = [
    SHAPE,
    { ...SHAPE, base: '' },
    { ...SHAPE, listeners: new Map([[9001, 'tcp:db']]) },
    { ...SHAPE, listeners: new Map([[9000, 'web']]) },
    { ...SHAPE, groups: new Map() },
    { ...SHAPE, groups: new Map([...SHAPE.groups, ['web', 'backend web2']]) },
  ].map(fingerprint);

  expect(new Set(all).size).toBe(all.length);
  expect(fingerprint(decodeShape(encodeShape(SHAPE)))).toBe(fingerprint(SHAPE));
  expect(fingerprint(SHAPE)).toMatch(/^[0-9a-f]{16}$/);
});
