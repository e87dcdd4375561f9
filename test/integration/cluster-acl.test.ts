import { expect, test } from '@jest/globals';
import { createTransport } from '../../consul/transport.ts';
import { ensureTokens } from '../../deploy/cluster/acl.ts';
import { makeSecrets } from '../../deploy/cluster/make-secrets.ts';
import type { TokenName } from '../../deploy/cluster/secrets.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';

/** The secret of those who have none (Consul's own word). */
const ANONYMOUS = 'anonymous';

const { signal } = new AbortController();

type Who = TokenName | 'management' | 'nobody';

/** What each token is tried with; the tokens named may do it, the others may not. `nobody` is who has none. */
const TRIALS: readonly (readonly [what: string, method: 'GET' | 'PUT', path: string, body: object | undefined, who: readonly Who[]])[] = [
  ['register a service', 'PUT', '/v1/agent/service/register', { Name: 'web', ID: 'web' }, ['registrator', 'management']],
  ['register a node', 'PUT', '/v1/catalog/register', { Node: 'NEW', Address: '10.0.0.7' }, ['agent', 'management']],
  [
    'take the edge’s service',
    'PUT',
    '/v1/agent/service/register',
    { Name: 'toots-edge', ID: 'edge' },
    ['agent', 'registrator', 'management'],
  ],
  ['read the agent', 'GET', '/v1/agent/self', undefined, ['agent', 'registrator', 'templater', 'management']],
  ['see the servers’ raft', 'GET', '/v1/operator/raft/configuration', undefined, ['management']],
  ['write a weight', 'PUT', '/v1/kv/haproxy/web/weights', {}, ['management']],
  ['read a weight', 'GET', '/v1/kv/haproxy/web/maxconn', undefined, ['templater', 'management']],
  ['read another key', 'GET', '/v1/kv/secret', undefined, ['management']],
  ['read the tokens', 'GET', '/v1/acl/tokens', undefined, ['management']],
  ['take a snapshot', 'GET', '/v1/snapshot', undefined, ['management']],
];

/** A Consul that refuses what no token allows. */
const startSecured = (management: string) =>
  startConsul({
    config: { acl: { enabled: true, default_policy: 'deny', tokens: { master: management, agent: management, default: management } } },
  });

const transportWith = ({ host, httpPort: port }: TestConsul, token: string) =>
  createTransport({ address: { kind: 'tcp', tls: false, host, port }, token: () => token });

test('each daemon’s token can do its work and nothing else; without one there is nothing', async () => {
  const { secrets } = await makeSecrets('dc1', 'consul', signal);
  const { management } = secrets.master;
  await using consul = await startSecured(management);
  const as = (token: string) => transportWith(consul, token);
  await using admin = as(management);
  await ensureTokens(admin, secrets, signal);
  await ensureTokens(admin, secrets, signal); // another master does the same, and it is no error
  for (const key of ['haproxy/web/maxconn', 'secret'])
    await admin.send({ method: 'PUT', path: `/v1/kv/${key}`, body: '7', timeoutMs: 5_000 }, signal);

  const allowed: Record<string, string[]> = {};
  const held = { ...secrets.tokens, management, nobody: ANONYMOUS };
  for (const who of Object.keys(held) as Who[]) {
    await using transport = as(held[who]);
    for (const [what, method, path, body] of TRIALS) {
      const { status } = await transport.send(
        { method, path, ...(body !== undefined && { body: JSON.stringify(body).replace('NEW', `by-${who}`) }), timeoutMs: 5_000 },
        signal,
      );
      allowed[what] = [...(allowed[what] ?? []), ...(status === 200 ? [who] : [])];
    }
  }

  const wanted = Object.fromEntries(TRIALS.map(([what, , , , who]) => [what, [...who].sort()]));
  expect(Object.fromEntries(Object.entries(allowed).map(([what, who]) => [what, who.sort()]))).toEqual(wanted);
});

test('only those that may read services and nodes see them', async () => {
  const { secrets } = await makeSecrets('dc1', 'consul', signal);
  const { management } = secrets.master;
  await using consul = await startSecured(management);
  const as = (token: string) => transportWith(consul, token);
  await using admin = as(management);
  await ensureTokens(admin, secrets, signal);

  const seen: Record<string, number> = {};
  for (const who of ['agent', 'registrator', 'templater', 'dns'] as const) {
    await using transport = as(secrets.tokens[who]);
    const { body } = await transport.send({ method: 'GET', path: '/v1/catalog/nodes', timeoutMs: 5_000 }, signal);
    seen[who] = (JSON.parse(body.toString()) as unknown[]).length;
  }

  expect(seen).toEqual({ agent: 1, registrator: 0, templater: 1, dns: 1 });
});
