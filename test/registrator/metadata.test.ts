import { expect, test } from '@jest/globals';
import { readMetadata } from '../../registrator/metadata.ts';

const LABEL_80 = { SERVICE_80_NAME: 'label of the port' };
const LABEL = { SERVICE_NAME: 'general label' };
const ENV_80 = ['SERVICE_80_NAME=variable of the port'];
const ENV = ['SERVICE_NAME=general variable'];

test.each([
  ['general variable', ENV, {}],
  ['general label', ENV, LABEL],
  ['variable of the port', [...ENV_80, ...ENV], LABEL],
  ['label of the port', [...ENV_80, ...ENV], { ...LABEL_80, ...LABEL }],
  ['label of the port', ENV_80, LABEL_80],
])('%s wins', (winner, env, labels) => {
  expect(readMetadata(env, labels).ofPort(80).get('name')).toBe(winner);
});

test.each<[string, string[], Record<string, string>, Record<string, string>]>([
  ['keys are in lower case', ['SERVICE_Check_HTTP=/'], {}, { check_http: '/' }],
  ['the prefix is case-sensitive', ['service_name=x', 'Service_Name=x'], {}, {}],
  ['another port says nothing', ['SERVICE_81_NAME=x'], {}, {}],
  ['a port is written in one way', ['SERVICE_080_NAME=x', 'SERVICE_+80_NAME=x'], {}, {}],
  ['a number alone is a general key', ['SERVICE_8080=x'], {}, { '8080': 'x' }],
  ['a variable without = says nothing', ['SERVICE_NAME'], {}, {}],
  ['a value may hold =', ['SERVICE_A=b=c'], {}, { a: 'b=c' }],
  ['of two labels that differ by case, the last in byte order', [], { SERVICE_Name: 'low', SERVICE_NAME: 'up' }, { name: 'low' }],
  ['an empty value of the port hides the general one', ['SERVICE_NAME=x', 'SERVICE_80_NAME='], {}, { name: '' }],
])('%s', (_, env, labels, entries) => {
  expect(Object.fromEntries(readMetadata(env, labels).ofPort(80).entries)).toEqual(entries);
});

test('an empty value stands for none, but is told', () => {
  const metadata = readMetadata(['SERVICE_80_NAME='], {}).ofPort(80);

  expect(metadata.get('name')).toBeUndefined();
  expect(metadata.isOfPort('name')).toBe(true);
});

test.each<[string, Record<string, string>, string | undefined]>([
  ['a label of ours beats every key', { 'toots.name': 'own', ...LABEL_80 }, 'own'],
  ['of the port it beats the general one', { 'toots.80.name': 'own 80', 'toots.name': 'own' }, 'own 80'],
  ['of another port it says nothing', { 'toots.81.name': 'own' }, undefined],
  ['its words may be written with any case', { 'Toots.Name': 'no', 'toots.NAME': 'own' }, 'own'],
])('%s', (_, labels, name) => {
  expect(readMetadata([], labels).ofPort(80).get('name')).toBe(name);
});

test('labels of ours: dots part the words, what is none of ours says nothing, no variable counts', () => {
  const labels = { 'toots.80.check.http': '/', 'toots.check-http-method': 'HEAD', 'toots.test': '1', 'toots.role': 'x' };

  expect(Object.fromEntries(readMetadata(['toots.name=x'], labels).ofPort(80).entries)).toEqual({
    check_http: '/',
    check_http_method: 'HEAD',
  });
});

test.each([
  ['false', undefined],
  ['0', undefined],
  ['true', 'true'],
])('toots.ignore=%s beats SERVICE_IGNORE', (value, ignore) => {
  expect(readMetadata(['SERVICE_IGNORE=1'], { 'toots.ignore': value }).ofPort(80).get('ignore')).toBe(ignore);
});

test('both of a key: the one of the port, then the general one', () => {
  const metadata = readMetadata(['SERVICE_TAGS=a', 'SERVICE_80_TAGS=b', 'SERVICE_81_TAGS='], {});

  expect(metadata.ofPort(80).both('tags')).toEqual(['b', 'a']);
  expect(metadata.ofPort(81).both('tags')).toEqual(['a']);
  expect(metadata.ofPort(82).both('tags')).toEqual(['a']);
  expect(metadata.ofPort(80).both('id')).toEqual([]);
});

test('ports that keys name', () => {
  expect(
    readMetadata(['SERVICE_80_NAME=a', 'SERVICE_81_TAGS=b', 'SERVICE_82_NAME='], { SERVICE_80_NAME: 'c', SERVICE_443_NAME: 'd' })
      .namedPorts,
  ).toEqual([80, 443]);
});
