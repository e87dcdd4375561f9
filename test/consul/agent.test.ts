import { expect, test } from '@jest/globals';
import { createAgent } from '../../consul/agent.ts';
import { ConsulRefusal } from '../../consul/call.ts';
import type { ConsulTransport } from '../../consul/transport.ts';

const never = new AbortController().signal;

/** An agent that answers these bodies, by path; 403 where there is none. */
function answering(bodies: Record<string, unknown>) {
  const send: ConsulTransport['send'] = async ({ path }) => {
    const body = bodies[path];
    return { status: body === undefined ? 403 : 200, headers: {}, body: Buffer.from(body === undefined ? 'no' : JSON.stringify(body)) };
  };
  return createAgent({ subject: 'agent', send });
}

test('the same answers are the same services, other answers are others', async () => {
  const bodies = { '/v1/agent/services': { a: { ID: 'a', Service: 'web' } }, '/v1/agent/checks': {} };
  const agent = answering(bodies);
  const first = await agent.registered(never);

  expect(await agent.registered(never)).toBe(first);
  bodies['/v1/agent/checks'] = { c: { CheckID: 'c', ServiceID: 'a', Status: 'passing' } };
  const second = await agent.registered(never);

  expect(second).not.toBe(first);
  expect([...(second.get('a')?.checks ?? [])]).toEqual([['c', { status: 'passing' }]]);
});

test('no services are none', async () => {
  expect(await answering({ '/v1/agent/services': {}, '/v1/agent/checks': {} }).registered(never)).toEqual(new Map());
});

test('what is refused, or is no answer of an agent, is an error', async () => {
  await expect(answering({ '/v1/agent/services': {} }).registered(never)).rejects.toThrow(ConsulRefusal);
  await expect(answering({ '/v1/agent/services': { a: 1 }, '/v1/agent/checks': {} }).registered(never)).rejects.toThrow(
    /not what an agent answers/,
  );
});
