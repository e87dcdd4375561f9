import * as v from 'valibot';

const uuid = v.pipe(v.string(), v.uuid());
const pair = v.object({ cert: v.string(), key: v.string() });

/** What nodes of a cluster know and nobody else: one file, the same on every node. */
export const secretsSchema = v.object({
  /** 32 bytes in base64, of Consul's gossip. */
  gossipKey: v.string(),
  ca: pair,
  /** The certificate of Consul's servers, which carries their role in its name. */
  server: pair,
  /** The certificate of every other agent. */
  client: pair,
  /** ACL tokens (UUIDs), one a kind of daemon. */
  tokens: v.object({
    management: uuid,
    agent: uuid,
    registrator: uuid,
    templater: uuid,
    dns: uuid,
  }),
  /** VRRP takes 8 characters. */
  vrrpPassword: v.pipe(v.string(), v.length(8)),
});
export type Secrets = v.InferOutput<typeof secretsSchema>;
export type TokenName = keyof Secrets['tokens'];

/** What each token may do, as rules of Consul's ACLs: what its daemon needs, and no more. `management` is Consul's own. */
export const TOKEN_RULES: Readonly<Record<Exclude<TokenName, 'management'>, string>> = {
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
