import { expect, test } from '@jest/globals';
import { endProcess, identify, isCommandOf, isRunning, parseStat } from '../../../deploy/host/process-identity.ts';
import { startProgram } from '../../harness/program.ts';

const STAT = (name: string, state: string) => `42 (${name}) ${state} 1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3`;

test.each([
  ['haproxy', 'S', { pid: 42, startTicks: 987_654 }],
  ['a (b) c', 'R', { pid: 42, startTicks: 987_654 }],
  ['gone', 'Z', undefined],
  ['gone', 'X', undefined],
])('of a process called %s in state %s', (name, state, identity) => {
  expect(parseStat(42, STAT(name, state))).toEqual(identity);
});

test('a process is known by its number and its start; with another start it is another one and is not ended', async () => {
  await using program = await startProgram('sleep', ['60']);
  const identity = identify(program.pid);
  if (identity === undefined) throw new Error('it does not run');
  const recycled = { ...identity, startTicks: identity.startTicks - 1 };

  await endProcess(recycled, 1_000);
  expect([isRunning(recycled), isRunning(identity)]).toEqual([false, true]);

  await endProcess(identity, 1_000);
  expect(isRunning(identity)).toBe(false);
  expect(await program.ended).toBe('SIGTERM');
});

test('a process that does not heed TERM is killed', async () => {
  await using program = await startProgram('sh', ['-c', 'trap "" TERM; echo deaf; while :; do sleep 0.05; done']);
  while (program.output() === '') await new Promise((resolve) => setTimeout(resolve, 10));

  await endProcess({ pid: program.pid, startTicks: identify(program.pid)?.startTicks ?? 0 }, 100);

  expect(await program.ended).toBe('SIGKILL');
});

test.each([
  [['haproxy', '-f', '/run/d/edge/haproxy.cfg'], true],
  [['/usr/sbin/haproxy', '-f', '/run/d/edge/haproxy.cfg'], true],
  [['haproxy', '-f', '/run/d/edge2/haproxy.cfg'], false],
  [['vi', '/run/d/edge/haproxy.cfg'], false],
  [['nohaproxy', '/run/d/edge/haproxy.cfg'], false],
  [['haproxy'], false],
])('%j is HAProxy of /run/d/edge: %s', (words, is) => {
  expect(isCommandOf(words, 'haproxy', '/run/d/edge')).toBe(is);
});
