import { expect, test } from '@jest/globals';
import { listenFindings } from '../../../deploy/cluster/listen-findings.ts';
import type { Role } from '../../../deploy/cluster/roles.ts';
import { aNode } from './a-node.ts';

test.each<[string, readonly Role[], string, string | undefined, readonly RegExp[]]>([
  ['none is said', ['edge'], '', '10.0.0.100', []],
  ['an address of the node', ['slave'], 'LISTEN_IP=10.0.0.9', undefined, []],
  ['every address, and a VIP', ['edge'], 'LISTEN_IP=0.0.0.0', '10.0.0.100', []],
  ['nobody’s address', ['slave'], 'LISTEN_IP=10.1.1.1', undefined, [/10\.1\.1\.1 is no address of this node/]],
  ['one address, and a VIP', ['edge'], 'LISTEN_IP=10.0.0.9', '10.0.0.100', [/not serve the VIP 10\.0\.0\.100/]],
])('TT-61: %s', (_, roles, conf, vip, expected) => {
  const found = listenFindings(aNode({ roles, conf, ...(vip !== undefined && { answers: { vip } }) }), ['10.0.0.9']);

  expect(found.map(({ what }) => what)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  expect(found.every(({ level, remedy }) => level === 'bad' && remedy.includes('restricted/overwrite'))).toBe(true);
});
