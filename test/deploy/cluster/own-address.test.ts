import { expect, test } from '@jest/globals';
import { ownNodeAddress } from '../../../deploy/cluster/own-address.ts';

const ALL = [
  { nic: 'docker0', address: '172.17.0.1' },
  { nic: 'eth0', address: '192.168.0.5' },
  { nic: 'eth1', address: '10.0.0.1' },
  { nic: 'eth1', address: '10.0.0.77' },
];
const MASTERS = ['10.0.0.1'];
const of = (conf: { IP?: string; NIC?: string; MASTERS?: string[] }) =>
  ownNodeAddress({ IP: conf.IP, NIC: conf.NIC, MASTERS: conf.MASTERS ?? MASTERS }, ALL);

test.each([
  ['TT-11 the first address of NIC, of several', { NIC: 'eth1' }, '10.0.0.1'],
  ['IP beats NIC', { IP: '10.0.0.77', NIC: 'eth0' }, '10.0.0.77'],
  ['the one that is a master’s', {}, '10.0.0.1'],
  ['else the first that is no container’s', { MASTERS: ['10.9.9.9'] }, '192.168.0.5'],
])('%s', (_, conf, address) => {
  expect(of(conf)).toMatchObject({ kind: 'address', own: { address } });
});

test.each([
  [{ NIC: 'eth7' }, /NIC eth7 has no IPv4 address; this machine has docker0 172.17.0.1, eth0/],
  [{ IP: '1.2.3.4' }, /IP 1.2.3.4 is no address of this machine/],
])('%j is refused, with what there is', (conf, why) => {
  expect(of(conf)).toEqual({ kind: 'wrong', why: expect.stringMatching(why) });
});
