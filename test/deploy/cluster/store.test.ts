import { expect, test } from '@jest/globals';
import { fstabLine, storeOf } from '../../../deploy/cluster/store.ts';
import { aNode } from './a-node.ts';

test.each([
  ['a persistent slave', { roles: ['slave'], answers: { slaveMode: 'persistent', nfs: 'h:/s' } }, 'h:/s'],
  ['a stateless slave', { roles: ['slave'], answers: { slaveMode: 'stateless', nfs: 'h:/s' } }, undefined],
  ['an edge', { roles: ['edge'], answers: { slaveMode: 'persistent', nfs: 'h:/s' } }, undefined],
] as const)('TT-74: what %s has on /var/store', (_, node, share) => {
  expect(storeOf(aNode(node).answers)).toBe(share);
});

test('TT-74: the line of fstab is the original’s, without what kernels have forgotten', () => {
  expect(fstabLine('h:/s')).toBe('h:/s /var/store nfs auto,bg,noatime,nolock,nfsvers=4,tcp,actimeo=1800 0 0');
});
