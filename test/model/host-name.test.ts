import { expect, test } from '@jest/globals';
import { hostsOfService, isHostName } from '../../model/host-name.ts';

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
