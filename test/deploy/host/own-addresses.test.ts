import { expect, test } from '@jest/globals';
import { ownBroadcasts } from '../../../deploy/host/own-addresses.ts';

test.each([
  ['10.0.0.9', '255.255.255.0', 24, ['10.0.0.255']],
  ['172.16.5.9', '255.255.240.0', 20, ['172.16.15.255']],
  ['10.0.0.2', '255.255.255.254', 31, []],
  ['10.0.0.1', '255.255.255.255', 32, []],
])('the broadcast address of the network of %s with %s', (address, netmask, prefix, expected) => {
  const cidr = `${address}/${prefix}`;

  expect(ownBroadcasts({ eth0: [{ address, netmask, cidr, family: 'IPv4', internal: false, mac: '00:00:00:00:00:00' }] })).toEqual(
    expected,
  );
});
