import { expect, test } from '@jest/globals';
import { type Answers, answersOf, hostFileText } from '../../../deploy/cluster/answers.ts';
import { askQuestions, isConfirmed, type Person } from '../../../deploy/cluster/ask-person.ts';
import { answerProblems } from '../../../deploy/cluster/read-node.ts';
import { parseRoles, roleProblem } from '../../../deploy/cluster/roles.ts';
import { conf } from './a-node.ts';

/** Someone who types these lines, and what they were shown. */
function person(lines: readonly string[]): Person & { readonly shown: string[] } {
  const left = [...lines];
  const shown: string[] = [];
  return {
    shown,
    ask: async (text) => {
      shown.push(text);
      return left.shift() ?? '';
    },
    tell: (text) => void shown.push(text),
    [Symbol.dispose]: () => {},
  };
}

/** What someone with these lines answers on a node where Toots.conf says `text`, and restricted/host says `host`. */
async function answered(address: string, lines: readonly string[], text = '', host = '') {
  const someone = person(lines);
  const own = { nic: 'eth0', address };
  const all = conf(`${text}\n${host}`);
  const answers = await askQuestions({ conf: all, told: conf(text), own, env: {}, answers: answersOf(all) }, someone);
  return { answers: answers && { ...answers, roles: [...answers.roles].join('+') }, shown: someone.shown };
}

const MASTER = '10.0.0.1';
const OTHER = '10.0.0.9';

test.each<[string, string, readonly string[], object]>([
  ['TT-70 a master by default', MASTER, [''], { roles: 'master', registerMasters: true }],
  ['TT-70 master and slave', MASTER, ['2'], { roles: 'master+slave' }],
  ['TT-70 all three', MASTER, ['3'], { roles: 'master+slave+edge' }],
  ['TT-70 master and edge, which is new', MASTER, ['4'], { roles: 'master+edge' }],
  ['TT-71 a slave by default', OTHER, [''], { roles: 'slave' }],
  ['TT-71 an edge', OTHER, ['2'], { roles: 'edge' }],
  ['TT-71 slave and edge', OTHER, ['3'], { roles: 'slave+edge' }],
  ['TT-72 the masters’ pages are left out', MASTER, ['1', '2'], { registerMasters: false }],
  ['TT-73 a VIP', OTHER, ['2', '10.0.0.100'], { vip: '10.0.0.100' }],
  ['TT-73 no VIP', OTHER, ['2', ''], { vip: undefined }],
  ['TT-74 a stateless slave by default', OTHER, ['1', ''], { slaveMode: 'stateless' }],
  ['TT-74 a persistent slave and its NFS', OTHER, ['1', '2', '10.0.0.8:/store', ''], { slaveMode: 'persistent', nfs: '10.0.0.8:/store' }],
  ['TT-75 no internal DNS by default', OTHER, ['1', '', ''], { internalDns: false }],
  ['TT-75 internal DNS, and what A gives', OTHER, ['1', '', '2', '2'], { internalDns: true, dnsAnswer: 'instances' }],
])('%s', async (_, address, lines, expected) => {
  expect((await answered(address, lines)).answers).toMatchObject(expected);
});

test('the number of a choice that there is none of is asked for again, three times at most', async () => {
  expect((await answered(OTHER, ['4', '0', '2', ''])).answers).toMatchObject({ roles: 'edge' });
  expect((await answered(OTHER, ['4', 'x', '9'])).answers).toBeUndefined();
});

test.each([
  [[''], true],
  [['YES'], true],
  [['n'], false],
  [['maybe', 'no'], false],
  [['maybe', 'y'], true],
  [['maybe', 'perhaps', 'why', 'y'], false],
])('%j typed where something is to be done: %s', async (lines, expected) => {
  expect(await isConfirmed('Do this?', person(lines))).toBe(expected);
});

test('what was answered before is the default, and what Toots.conf says is not asked', async () => {
  const before = 'SLAVE=true\nEDGE=true\nSTART_DNSMASQ=true\nVIP=10.0.0.100';

  const { answers, shown } = await answered(OTHER, [], before);

  expect(answers).toMatchObject({ roles: 'slave+edge', internalDns: true, vip: '10.0.0.100' });
  expect(shown.join('\n')).toMatch(/3 Slave \+ Edge \(default\)/);
  expect(shown.join('\n')).not.toMatch(/^VIP/m);
});

test.each<[string, readonly string[], object]>([
  ['an empty line keeps it', ['', '', '', '', ''], { vip: '10.0.0.100', nfs: 'h:/s' }],
  ['another takes its place', ['', '10.0.0.101', '', 'h:/t', ''], { vip: '10.0.0.101', nfs: 'h:/t' }],
  ['a dash takes it back', ['', '-', '', '', ''], { vip: undefined }],
  ['it goes with the role', ['1', '', '', ''], { vip: undefined, nfs: 'h:/s' }],
])('a VIP and a share that were answered before are asked for again: %s', async (_, lines, expected) => {
  const host = 'SLAVE=true\nEDGE=true\nVIP=10.0.0.100\nSLAVE_MODE=persistent\nNFS=h:/s';

  expect((await answered(OTHER, lines, '', host)).answers).toMatchObject(expected);
});

test('a VIP of Toots.conf counts also on a node that becomes an edge', async () => {
  expect((await answered(OTHER, ['2'], 'VIP=10.0.0.100', 'SLAVE=true')).answers).toMatchObject({ roles: 'edge', vip: '10.0.0.100' });
});

test('TT-80: the answers are kept in the words of Toots.conf, and read back as they were', () => {
  const answers: Answers = {
    roles: new Set(['slave', 'edge']),
    registerMasters: true,
    vip: '10.0.0.100',
    slaveMode: 'persistent',
    nfs: '10.0.0.8:/store',
    internalDns: true,
    dnsAnswer: 'instances',
  };

  const text = hostFileText(answers, conf());

  expect(answersOf(conf(text.replace(/^#.*\n/, '')))).toEqual(answers);
  expect(text).toContain('\nMASTER=false\nSLAVE=true\nEDGE=true\n');
});

test.each([
  ['slave,edge', ['slave', 'edge']],
  ['Edge, slave', ['slave', 'edge']],
  ['master', ['master']],
])('roles %j', (text, expected) => {
  expect(parseRoles(text)).toEqual({ kind: 'roles', roles: new Set(expected) });
});

test.each(['', 'slaves', 'slave;edge'])('roles %j are refused', (text) => {
  expect(parseRoles(text)).toMatchObject({ kind: 'wrong', why: expect.stringContaining('master, slave, edge') });
});

test('TT-02: who is a master is told by MASTERS alone', () => {
  const masters = ['10.0.0.1', '10.0.0.2'];

  expect(roleProblem(new Set(['slave']), '10.0.0.1', masters)).toMatch(/is one of MASTERS/);
  expect(roleProblem(new Set(['master']), '10.0.0.10', masters)).toMatch(/is none of MASTERS/);
  expect(roleProblem(new Set(['master', 'edge']), '10.0.0.1', masters)).toBeUndefined();
});

test.each([
  [OTHER, /VIP 10\.0\.0\.9 is this node’s own address; it must be nobody’s/],
  [MASTER, /VIP 10\.0\.0\.1 is the address of a master; it must be nobody’s/],
  ['10.0.0.255', /VIP: 10\.0\.0\.255 is the broadcast address of a network of this machine/],
])('TT-73: the VIP %s is refused', (vip, problem) => {
  const answers = { ...(answersOf(conf('EDGE=true')) as Answers), vip };

  expect(answerProblems(answers, conf(), { nic: 'eth0', address: OTHER }, ['10.0.0.255'])).toEqual([expect.stringMatching(problem)]);
});

test('TT-10: a master that is a broadcast address is refused', () => {
  const answers = answersOf(conf('SLAVE=true')) as Answers;

  expect(answerProblems(answers, conf(), { nic: 'eth0', address: OTHER }, ['10.0.0.3'])).toEqual([
    expect.stringMatching(/^MASTERS: 10\.0\.0\.3 is the broadcast address/),
  ]);
});

test('TT-74: a persistent slave without NFS is a problem', () => {
  const answers = { ...(answersOf(conf('SLAVE=true\nSLAVE_MODE=persistent')) as Answers) };

  expect(answerProblems(answers, conf(), { nic: 'eth0', address: OTHER }, ['10.0.0.255'])).toEqual([expect.stringContaining('-nfs')]);
});
