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

test('ports that keys name', () => {
  expect(
    readMetadata(['SERVICE_80_NAME=a', 'SERVICE_81_TAGS=b', 'SERVICE_82_NAME='], { SERVICE_80_NAME: 'c', SERVICE_443_NAME: 'd' })
      .namedPorts,
  ).toEqual([80, 443]);
});
