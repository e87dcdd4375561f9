import { EDGE_OPTIONS, type EdgeOption } from '../model/edge-options.ts';
import { HTTP_TAGS } from '../model/edge-tags.ts';
import { MOST_PORTS, MOST_RULES } from '../model/rule-limits.ts';

/** What a tag's row says of instances that differ, and of a value that does not parse. */
const SCOPES = {
  claim: 'all instances together; one service has it',
  union: 'all instances together',
  service: 'the service: the first in byte order',
  instance: 'each instance its own',
} satisfies Record<EdgeOption<unknown>['scope'], string>;

/** The text of docs/tags.md, from the table of options. Pure. */
export function tagsPage(): string {
  const options: readonly EdgeOption<unknown>[] = Object.values(EDGE_OPTIONS);
  const rows = options.map(
    ({ tags, value, scope, describe }) => `| ${tags.map((tag) => `\`${tag}=${value}\``).join(', ')} | ${describe} | ${SCOPES[scope]} |`,
  );
  return `# Tags of the edge

What a service asks of the edge by tags in Consul, such as \`SERVICE_TAGS=haproxy,haproxy_route=/media,weight=100\` of a container. Written by
\`npm run docs\` from the table of options (\`model/edge-options.ts\`); a test fails when it is stale.

| tag | meaning | of the service, or of an instance |
|---|---|---|
| ${HTTP_TAGS.map((tag) => `\`${tag}\``).join(', ')} | HTTP service: hosts \`x.service\`, \`x.service.consul\`, \`x.service.DC.consul\` for each datacenter, and \`x.DOMAIN\` for each \`--add-domain\` | all instances together |
${rows.join('\n')}

A tag may be there several times. Blanks around the items of a list do not count, blanks anywhere else do. In \`SERVICE_TAGS\` a comma within one is written \`\\,\`.

## Which rule wins

The most specific one: a path of a host (the longest), a host, a path of a wildcard host, a wildcard host (the longest suffix), a path on any host
(the longest), the landing page. Hosts match in any case, without port and dot at the end; paths byte for byte. Of two services with the same claim
the one with the higher \`haproxy_priority\` has it, then the first name in byte order: the same on every edge node. Both are named in \`GET /status\`.

## What does not parse

is a problem of its own service, in \`GET /status\`, log and metrics until it is gone.

- A number out of range is taken at the nearest end of it.
- Another value of an instance is left out.
- Another value of a service leaves the service the rules that it had when all of them last parsed, as a whole; its instances are still followed.
  A service that never had such rules is served without the value. Only limits are different: without a value that parses, \`haproxy_auth\` and
  \`haproxy_allow\` let nobody in.
- One service has at most ${MOST_RULES.toLocaleString('en')} hosts and paths (a path counts once for each of its hosts) and ${MOST_PORTS.toLocaleString('en')} TCP ports, the first of each in order.
- A tag that begins with \`haproxy\` and that is not in the table is named with the nearest that is, and does no harm.

## What to know

- **Order.** A request is first asked where it comes from (\`haproxy_allow\`), then sent to HTTPS (\`haproxy_redirect\`), then asked for a password
  (\`haproxy_auth\`), then rewritten (\`haproxy_strip_prefix\`).
- **\`haproxy_allow\`** looks at the address that is connected to the edge, never at \`X-Forwarded-For\`.
- **\`haproxy_auth\`** hashes the password at every request: SHA-256 with the usual 5,000 rounds costs some milliseconds of the edge's CPU. Hashes are in
  \`haproxy.cfg\`, which only its user can read, and are shown nowhere.
- **\`haproxy_sticky\`.** The cookie is made of the instance's address and the service's name, so it is the same on every edge node and after every
  restart. An instance that is drained or deregistered gets nothing more, not even from its own clients: they go to another and keep that. One that
  is dead is left at the first request that finds it so. Clients follow a change of weights when they are new; those of an instance of weight 0 stay.
  With \`variant\` a client keeps the variant (Marathon app, Compose service or image) and is spread over its instances; only when none is left it is a new client.
  TCP has no cookies: there \`haproxy_balance=source\` keeps a client's address with an instance.
- **\`haproxy_backup\`.** An instance can be used while Consul calls it healthy and the edge can connect to it.
- **An instance that is dead** while Consul still calls it healthy is found by the first connection that fails: the request goes to another instance,
  and the dead one is passed over until it can be reached again (tried every half second). Where it is the only one, requests get 503 meanwhile.
`;
}
