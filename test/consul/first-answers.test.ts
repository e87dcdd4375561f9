import { expect, test } from '@jest/globals';
import type { BlockingAnswer } from '../../consul/blocking-query.ts';
import { answersFromTables, type ReadTables } from '../../consul/first-answers.ts';
import type { ConsulTransport } from '../../consul/transport.ts';

const CHECK = { Node: 'N1', CheckID: 'c', Status: 'warning', ServiceID: 'web-1', ServiceName: 'web' };
const NODE_CHECK = { Node: 'n1', CheckID: 'serfHealth', Status: 'passing', ServiceID: '', ServiceName: '' };
const NODE = { Node: { Node: 'n1', Address: '10.0.0.1' }, Services: { 'web-1': { ID: 'web-1', Service: 'web', Port: 80 } } };
const GOOD = { knownLeader: true, filteredByAcl: false };

function tables(checks: Partial<BlockingAnswer<unknown>> = {}, node: Partial<typeof GOOD> = {}): ReadTables {
  return {
    listIndex: 20,
    checks: { body: [CHECK, NODE_CHECK], index: 30, ...GOOD, ...checks },
    nodes: [{ json: NODE, ...GOOD, ...node }],
  };
}

/** An agent whose tables have these indexes by now. */
function agent(listIndex: number, checksIndex: number, headers: Readonly<Record<string, string>> = {}): ConsulTransport {
  return {
    subject: 'a test',
    send: async ({ path }) => {
      const index = path.startsWith('/v1/catalog') ? listIndex : checksIndex;
      return { status: 200, headers: { 'x-consul-index': String(index), ...headers }, body: Buffer.from('{}') };
    },
  };
}

const never = new AbortController().signal;

test('tables that have not moved say what every service answers, with the checks of its node and its own', async () => {
  const answerOf = await answersFromTables(agent(20, 30), tables(), never);

  const { body, ...rest } = answerOf?.('web') ?? {};
  expect(body?.entries).toMatchObject([{ node: 'n1', id: 'web-1', address: '10.0.0.1', port: 80, status: 'warning' }]);
  expect(body?.entries[0]?.checks.map(({ id }) => id)).toEqual(['serfHealth', 'c']);
  expect(rest).toEqual({ index: 30, ...GOOD });
  expect(answerOf?.('other').body).toEqual({ entries: [], unreadable: 0 });
});

test.each([
  ['an instance changed meanwhile', agent(21, 30), tables()],
  ['a check changed meanwhile', agent(20, 31), tables()],
  ['the checks came without a leader', agent(20, 30), tables({ knownLeader: false })],
  ['the token may not see every check', agent(20, 30), tables({ filteredByAcl: true })],
  ['the token may not see everything on a node', agent(20, 30), tables({}, { filteredByAcl: true })],
  ['there is no leader any more', agent(20, 30, { 'x-consul-knownleader': 'false' }), tables()],
])('nothing is said where %s', async (_, transport, read) => {
  expect(await answersFromTables(transport, read, never)).toBeUndefined();
});
