import { createHash } from 'node:crypto';
import { ConsulRefusal, call } from '../../consul/call.ts';
import { type ConsulTransport, createTransport } from '../../consul/transport.ts';
import { CONSUL_PORTS } from './consul-daemon.ts';
import { type Secrets, TOKEN_RULES, type TokenName } from './secrets.ts';

/** This node's agent over loopback, with one of the tokens. */
export function localConsul(token: string | undefined): ConsulTransport & AsyncDisposable {
  return createTransport({
    address: { kind: 'tcp', tls: false, host: '127.0.0.1', port: CONSUL_PORTS.http },
    ...(token !== undefined && { token: () => token }),
  });
}

/** Whether the cluster has a leader, as this node's agent sees it. */
export async function hasLeader(transport: ConsulTransport, signal: AbortSignal): Promise<boolean> {
  const leader = await call(transport, { method: 'GET', path: '/v1/status/leader' }, signal).catch(() => '');
  return typeof leader === 'string' && leader !== '';
}

/**
 * Has Consul know the tokens of the secrets, each with a policy of its own. What is there already is brought up to date, so any master may
 * do it at any time. @throws ConsulRefusal, OperationError when Consul does not take them.
 */
export async function ensureTokens(transport: ConsulTransport, { tokens }: Secrets, signal: AbortSignal): Promise<void> {
  for (const name of Object.keys(TOKEN_RULES) as TokenName[]) {
    const policy = `toots-${name}`;
    const body = { Name: policy, Description: `What Toots’ ${name} needs`, Rules: TOKEN_RULES[name] };
    const known = await orUndefined(call(transport, { method: 'GET', path: `/v1/acl/policy/name/${policy}` }, signal));
    await call(
      transport,
      {
        method: 'PUT',
        path: known === undefined ? '/v1/acl/policy' : `/v1/acl/policy/${known.ID}`,
        body: known === undefined ? body : { ...body, ID: known.ID },
      },
      signal,
    );
    // By its secret a token cannot be found, so ours carry an accessor made of it.
    const accessor = accessorOf(tokens[name]);
    const has = await orUndefined(call(transport, { method: 'GET', path: `/v1/acl/token/${accessor}` }, signal));
    if (has !== undefined) continue;
    const token = { AccessorID: accessor, SecretID: tokens[name], Description: `Toots’ ${name}`, Policies: [{ Name: policy }] };
    await call(transport, { method: 'PUT', path: '/v1/acl/token', body: token }, signal);
  }
}

/** Another UUID that is told by the first and does not tell it. */
function accessorOf(secret: string): string {
  const hex = createHash('sha256').update(`accessor of ${secret}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

/** Consul 1.8 answers 403 for a policy or token that is not there, later ones 404. */
async function orUndefined(asked: Promise<unknown>): Promise<{ readonly ID?: string } | undefined> {
  try {
    return (await asked) as { ID?: string };
  } catch (error) {
    if (error instanceof ConsulRefusal && (error.status === 404 || /not found/i.test(error.message))) return undefined;
    throw error;
  }
}
