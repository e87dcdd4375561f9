import * as v from 'valibot';
import { flag } from '../../daemon/values.ts';
import { shownVariant } from '../../model/variant-name.ts';
import { command } from '../command.ts';
import { askTemplater, templaterApi } from './templater-api.ts';

const service = v.object({
  service: v.string(),
  known: v.boolean(),
  hosts: v.array(v.string()),
  vhosts: v.array(v.string()),
  paths: v.array(v.string()),
  ports: v.array(v.number()),
  instances: v.array(
    v.object({
      id: v.string(),
      node: v.string(),
      address: v.string(),
      variant: v.string(),
      served: v.boolean(),
      whyNot: v.optional(v.string()),
      weight: v.optional(v.number()),
      backup: v.optional(v.boolean()),
      tags: v.array(v.string()),
    }),
  ),
  held: v.optional(v.string()),
  problems: v.array(v.object({ subject: v.string(), option: v.optional(v.string()), value: v.optional(v.string()), reason: v.string() })),
});
const request = v.object({
  host: v.string(),
  path: v.string(),
  rule: v.picklist(['host and path', 'host', 'wildcard host', 'path', 'landing page', 'none']),
  claim: v.optional(v.string()),
  service: v.optional(service),
});

const pin = v.object({ pinned: v.nullable(v.number()) });

type Service = v.InferOutput<typeof service>;
type Request = v.InferOutput<typeof request>;

/** Says why a request goes where it goes. */
export const explainCommand = command(
  {
    name: 'explain',
    usage: 'HOST[/PATH] | SERVICE',
    line: 'Why a request goes where it goes, or why a service is not reached',
    about:
      'Asks this edge which rule takes a request (a host, a path, or both: shop.service.consul, any.host/media), or what it makes of a service (shop): its hosts, paths and ports, each instance and why it is not served. Exit 1 when nothing serves it.',
    options: { api: templaterApi, json: { flag: 'json', schema: flag(), describe: 'Prints the answer as JSON' } },
    positionals: { least: 1, most: 1 },
  },
  async ({ api, json }, [target = '']) => {
    const { answer, ...explained } = await explain(api, target);
    const { pinned } = v.parse(pin, answer);
    if (!json && pinned !== null)
      process.stdout.write(`The edge is pinned to generation ${pinned}; toots release lets it follow Consul again.\n\n`);
    if (json) process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
    else if (explained.service !== undefined) process.stdout.write(serviceText(explained.service));
    else if (explained.request !== undefined) process.stdout.write(requestText(explained.request));
    const found = explained.service ?? explained.request?.service;
    return found?.instances.some(({ served }) => served) || explained.request?.rule === 'landing page' ? 0 : 1;
  },
);

/** A single word that is no service may be a name of the node; a host that nobody claims may be a service with a dot in its name. */
async function explain(
  api: { address: string; port: number },
  target: string,
): Promise<{ answer: unknown; service?: Service; request?: Request }> {
  const question = questionOf(target);
  const answer = await askTemplater(api, 'GET', '/explain', question);
  if (!('service' in question)) {
    const asRequest = v.parse(request, answer);
    if (asRequest.rule !== 'none' || target !== question.host) return { answer, request: asRequest };
    const dotted = await askTemplater(api, 'GET', '/explain', { service: target });
    const named = v.parse(service, dotted);
    return named.known ? { answer: dotted, service: named } : { answer, request: asRequest };
  }
  const asService = v.parse(service, answer);
  if (asService.known) return { answer, service: asService };
  const asHost = await askTemplater(api, 'GET', '/explain', { host: target, path: '/' });
  const found = v.parse(request, asHost);
  return found.rule === 'host' || found.rule === 'landing page' ? { answer: asHost, request: found } : { answer, service: asService };
}

/** A word without dot, slash or colon is a service; anything else is a host, a path, or both, with or without a scheme. */
function questionOf(target: string): { service: string } | { host: string; path: string } {
  if (/^[^./:]+$/.test(target)) return { service: target };
  const [, host = '', path = '/'] = /^(?:https?:\/\/)?([^/]*)(\/.*)?$/.exec(target) ?? [];
  return { host, path };
}

/** Pure. */
function requestText({ host, path, rule, claim, service: found }: Request): string {
  const what = `${host}${path}`;
  if (rule === 'landing page') return `${what}: this node's own name, so the landing page\n`;
  if (rule === 'none' || found === undefined)
    return `${what}: nobody claims it, so 503. A service claims hosts by the tags haproxy and haproxy_vhost=HOST, and a path by haproxy_route=/path\n`;
  return `${what}: ${found.service}, by its ${rule} ${claim}\n\n${serviceText(found)}`;
}

/** Pure. */
function serviceText({ service: name, known, hosts, vhosts, paths, ports, instances, held, problems }: Service): string {
  if (!known)
    return `${name}: Consul has no service of this name with a tag for the edge (haproxy, haproxy_route=/path, haproxy_tcp=PORT)\n`;
  const variants = new Set(instances.map(({ variant }) => variant));
  const rows = instances.map(({ id, node, address, variant, served, whyNot, weight, backup, tags }) => {
    const state = served ? `served${backup === true ? ' while no other can be' : ''}, weight ${weight}` : `not served: ${whyNot}`;
    return `  ${id} at ${address} on ${node}${variant === '' ? '' : `, ${shownVariant(variant, variants)}`}: ${state}\n    tags ${tags.join(' ') || 'none of the edge'}\n`;
  });
  const list = (title: string, items: readonly (string | number)[]) => (items.length === 0 ? '' : `${title} ${items.join(', ')}\n`);
  return [
    `${name}: ${instances.filter(({ served }) => served).length} of ${instances.length} instances served\n`,
    list('hosts', hosts),
    list('wildcard hosts, and paths of hosts', vhosts),
    list('paths', paths),
    list('TCP ports', ports),
    ...rows,
    held === undefined ? '' : `  held: ${held}\n`,
    ...problems.map(
      ({ option, value, reason }) => `  problem: ${[option, value, reason].filter((part) => part !== undefined).join(': ')}\n`,
    ),
  ].join('');
}
