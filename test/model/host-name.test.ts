import { expect, test } from '@jest/globals';
import { hostsOfService, isAddress, isHostName } from '../../model/host-name.ts';

test.each<[text: string, is: boolean]>([
  ['a', true],
  ['web.api', true],
  ['my_service-2', true],
  ['-a-', true],
  ['A1', true],
  ['x'.repeat(63), true],
  ['x'.repeat(64), false],
  [`${'abc.'.repeat(63)}x`, true],
  [`${'abc.'.repeat(63)}xy`, false],
  ['', false],
  ['.', false],
  ['a.', false],
  ['.a', false],
  ['a..b', false],
  ['a b', false],
  ['a\n', false],
  ['a:80', false],
  ['a/b', false],
  ['*.a', false],
  ['ä', false],
])('%j is a host name: %j', (text, is) => {
  expect(isHostName(text)).toBe(is);
});

test.each<[text: string, is: boolean]>([
  ['10.0.0.5', true],
  ['2001:db8::1', true],
  ['db.example.test', true],
  ['node-1', true],
  ['999.1.1.1', false],
  ['10.0.0', false],
  ['1.2.3.4.5', false],
  ['80', false],
  ['[::1]', false],
  ['10.0.0.5/8', false],
  ['', false],
])('%j is an address: %j', (text, is) => {
  expect(isAddress(text)).toBe(is);
});

test('a service has a host in each domain and datacenter, in lower case', () => {
  const hosts = hostsOfService('Web', { domain: 'consul', addedDomains: ['example.test', 'Example.ORG'], datacenters: ['dc1', 'Dc2'] });

  expect(hosts).toEqual([
    'web.service',
    'web.service.consul',
    'web.service.dc1.consul',
    'web.service.dc2.consul',
    'web.example.test',
    'web.example.org',
  ]);
});
