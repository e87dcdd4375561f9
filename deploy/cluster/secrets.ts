import * as v from 'valibot';

const uuid = v.pipe(v.string(), v.uuid());
const pair = v.object({ cert: v.string(), key: v.string() });

/** What nodes of a cluster know and nobody else. Masters know more than the others: `master`. */
export const secretsSchema = v.object({
  /** 32 bytes in base64, of Consul's gossip. */
  gossipKey: v.string(),
  /** The certificate of the cluster's own CA. Its key is in no node's secrets. */
  ca: v.string(),
  /** The certificate of agents that are no servers. */
  client: pair,
  /** ACL tokens (UUIDs), one a kind of daemon. */
  tokens: v.object({
    agent: uuid,
    registrator: uuid,
    templater: uuid,
    dns: uuid,
  }),
  /** VRRP takes 8 characters. */
  vrrpPassword: v.pipe(v.string(), v.length(8)),
  /** Of masters alone. */
  master: v.optional(
    v.object({
      /** The certificate of Consul's servers, which carries their role in its name: who has it may be one. */
      server: pair,
      /** The token that may do everything. */
      management: uuid,
    }),
  ),
});
export type Secrets = v.InferOutput<typeof secretsSchema>;
export type TokenName = keyof Secrets['tokens'];

/** What of the secrets a node needs that is no master. Pure. */
export function withoutMaster({ master: _, ...rest }: Secrets): Secrets {
  return rest;
}

/** Why a node with these secrets cannot start, or must not, and what to do; undefined when it may. Pure. */
export function secretsProblem(secrets: Secrets, isMaster: boolean): { readonly what: string; readonly remedy: string } | undefined {
  if (isMaster && secrets.master === undefined)
    return {
      what: 'these are the secrets of slaves and edges, and this node is a master',
      remedy:
        'copy restricted/secrets.json of another master here; where it is lost everywhere, ./toots.sh secrets -replace makes new ones, for every node',
    };
  if (!isMaster && secrets.master !== undefined)
    return {
      what: 'these are the secrets of masters, who may change the cluster, and this node is none',
      remedy: 'remove this file, and copy restricted/secrets.nodes.json of a master here',
    };
  return undefined;
}

/** What each token may do, as rules of Consul's ACLs: what its daemon needs, and no more. */
export const TOKEN_RULES: Readonly<Record<TokenName, string>> = {
  agent: [
    'agent_prefix "" { policy = "write" }',
    'node_prefix "" { policy = "write" }',
    'service_prefix "" { policy = "read" }',
    'service "toots-edge" { policy = "write" }',
  ].join('\n'),
  registrator: ['agent_prefix "" { policy = "read" }', 'service_prefix "" { policy = "write" }'].join('\n'),
  templater: [
    'agent_prefix "" { policy = "read" }',
    'node_prefix "" { policy = "read" }',
    'service_prefix "" { policy = "read" }',
    'key_prefix "haproxy/" { policy = "read" }',
  ].join('\n'),
  dns: ['node_prefix "" { policy = "read" }', 'service_prefix "" { policy = "read" }'].join('\n'),
};
