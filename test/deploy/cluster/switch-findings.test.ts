import { expect, test } from '@jest/globals';
import { type Answers, answersOf } from '../../../deploy/cluster/answers.ts';
import { confOf } from '../../../deploy/cluster/read-node.ts';
import type { Role } from '../../../deploy/cluster/roles.ts';
import { switchFindings } from '../../../deploy/cluster/switch-findings.ts';
import { aNode, conf } from './a-node.ts';

const DNS = /START_DNSMASQ=true starts nothing here: .* this node is /;
const REGISTRATOR = /START_REGISTRATOR=true starts nothing here: .* this node is edge/;
const UNREGISTERED = /START_REGISTRATOR=false: nothing registers the containers of this slave/;

test.each<[readonly Role[], string, readonly RegExp[]]>([
  [['edge'], 'START_DNSMASQ=true', [DNS]],
  [['master'], 'START_DNSMASQ=true', [DNS]],
  [['slave', 'edge'], 'START_DNSMASQ=true', []],
  [['edge'], 'START_DNSMASQ=false', []],
  [['edge'], 'START_REGISTRATOR=true', [REGISTRATOR]],
  [['master', 'edge'], 'START_REGISTRATOR=true', []],
  [['slave'], 'START_REGISTRATOR=false', [UNREGISTERED]],
  [['master'], 'START_REGISTRATOR=false', []],
])('TT-03: %j with %s is told what of it counts', (roles, text, expected) => {
  expect(switchFindings(aNode({ roles, conf: text })).map(({ level, what }) => [level, what])).toEqual(
    expected.map((what) => ['note', expect.stringMatching(what)]),
  );
});

test.each<[string, string, string, boolean | undefined]>([
  ['a master’s answer ends no registrator of the slave that it becomes', 'MASTER=true\nSLAVE=true', '', undefined],
  ['Toots.conf does', 'MASTER=true\nSLAVE=true', 'START_REGISTRATOR=false', false],
  ['a master’s answer counts on a master', 'MASTER=true', '', false],
])('START_REGISTRATOR: %s', (_, roles, text, expected) => {
  const all = conf(`${text}\n${roles}\nSTART_REGISTRATOR=false`);

  expect(confOf({ conf: all, told: conf(text) }, answersOf(all) as Answers).START_REGISTRATOR).toBe(expected);
});
