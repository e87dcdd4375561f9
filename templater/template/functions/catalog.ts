import { parseDatacenters, parseServiceList } from '../../../consul/catalog-list.ts';
import { parseHealthEntries } from '../../../consul/health-entry.ts';
import { isRecord, type JsonRecord, textField } from '../../../consul/json-fields.ts';
import { shown } from '../filters/values.ts';
import type { Query } from '../query.ts';
import { catalogQuestion, nodeQuestion, type PlaceQuestion, type ServiceQuestion, serviceQuestion } from '../query-string.ts';
import { camelView, type InstanceView, instancesView, nearInstancesView, nodeServicesView, nodesView, servicesView } from '../views.ts';
import type { Reader, TemplateFunction } from './reader.ts';

/** Consul's catalog, as far as templates read it. A service with an empty name has no instances, as in consul-template. */
export const catalogFunctions = {
  service: (reader, ...args) => instances(reader, 'service', args),
  connect: (reader, ...args) => instances(reader, 'connect', args),
  services: (reader, where) => reader.read(servicesQuery(catalogQuestion('services', where))) ?? [],
  node: (reader, name, options) => {
    const question = nodeQuestion('node', name, options);
    const own = question.subject === '' ? reader.read(SELF) : question.subject;
    return typeof own === 'string' ? (reader.read(nodeQuery({ ...question, subject: own })) ?? EMPTY_NODE) : EMPTY_NODE;
  },
  nodes: (reader, where) => reader.read(nodesQuery(catalogQuestion('nodes', where))) ?? [],
  /** `datacenters(true)` leaves those out that do not answer. */
  datacenters: (reader, ignoreDown) => {
    const all = (reader.read(DATACENTERS) ?? []) as readonly string[];
    return ignoreDown === true ? all.filter((dc) => isUp(reader, dc)) : all;
  },
  caRoots: (reader) => reader.read(CA_ROOTS) ?? [],
  caLeaf: (reader, service) => {
    if (service === '') return {};
    if (typeof service !== 'string') throw new SyntaxError(`caLeaf: needs the name of a service, got ${shown(service)}`);
    const path = `/v1/agent/connect/ca/leaf/${encodeURIComponent(service)}`;
    return reader.read({ id: `caLeaf ${service}`, source: { kind: 'consul', path, params: {}, dc: '' }, view: camelView }) ?? {};
  },
} satisfies Record<string, TemplateFunction>;

const EMPTY_NODE = Object.freeze({ node: null, services: Object.freeze([]) });
const SELF: Query = {
  id: 'agent self',
  source: { kind: 'poll', path: '/v1/agent/self', everyMs: 60_000, dc: '' },
  view: (answer) => (isRecord(answer) && isRecord(answer['Config']) ? textField(answer['Config'], 'NodeName') : ''),
};
const DATACENTERS: Query = {
  id: 'datacenters',
  source: { kind: 'poll', path: '/v1/catalog/datacenters', everyMs: 15_000, dc: '' },
  view: parseDatacenters,
};
const CA_ROOTS: Query = {
  id: 'caRoots',
  source: { kind: 'consul', path: '/v1/agent/connect/ca/roots', params: {}, dc: '' },
  view: (answer) => camelView(recordsIn(answer, 'Roots').map((root) => ({ ...root, RootCertPEM: root['RootCert'] }))),
};

/** A question as a template asks it, over and over in a loop. */
interface Asked {
  readonly question: ServiceQuestion;
  readonly query: Query;
}

const MOST_ASKED = 10_000;
const asked = new Map<string, Asked>();

function instances(reader: Reader, call: 'service' | 'connect', args: readonly unknown[]): readonly InstanceView[] {
  if (args[0] === '') return [];
  const key = `${call} ${JSON.stringify(args)}`;
  const known = asked.get(key) ?? ask(call, args);
  if (asked.size >= MOST_ASKED) asked.clear();
  asked.set(key, known);
  return matching((reader.read(known.query) ?? NO_INSTANCES) as readonly InstanceView[], known.question);
}

const NO_INSTANCES: readonly InstanceView[] = Object.freeze([]);

function ask(call: 'service' | 'connect', args: readonly unknown[]): Asked {
  const question = serviceQuestion(call, args);
  return { question, query: instancesQuery(call, question) };
}

function instancesQuery(call: 'service' | 'connect', { name, dc, near, params, statuses }: ServiceQuestion): Query {
  // Which of two equally near comes first depends on what Consul is asked for.
  const isPassing = near !== '' && statuses.join() === 'passing';
  const id = `${call} ${name}${idOf({ dc, near, params })}${isPassing ? '|passing' : ''}`;
  if (call === 'service' && near === '' && Object.keys(params).length === 0) {
    return { id, source: { kind: 'service', name, dc }, view: instancesView, size: sizeOf };
  }
  const path = `/v1/health/${call}/${encodeURIComponent(name)}`;
  const view = near === '' ? instancesView : nearInstancesView;
  return {
    id,
    source: { kind: 'consul', path, params: { ...params, ...(near !== '' && { near }), ...(isPassing && { passing: '1' }) }, dc },
    view: (answer, seesDetail) => view(allEntries(answer), seesDetail),
    size: sizeOf,
  };
}

/** The proxies that `/v1/health/connect` lists have names of their own. */
function allEntries(answer: unknown) {
  if (!Array.isArray(answer)) throw new TypeError('the answer is no list of instances');
  return answer.filter(isRecord).flatMap((item) => {
    const name = isRecord(item['Service']) ? textField(item['Service'], 'Service') : '';
    return parseHealthEntries([item], name).entries;
  });
}

/** Of a list of instances, what was chosen from it; a list never changes. */
const chosen = new WeakMap<readonly InstanceView[], Map<ServiceQuestion, readonly InstanceView[]>>();

/** Tags match whatever their case, as Consul's own filter does. */
function matching(all: readonly InstanceView[], question: ServiceQuestion): readonly InstanceView[] {
  const choices = chosen.get(all) ?? new Map<ServiceQuestion, readonly InstanceView[]>();
  chosen.set(all, choices);
  const choice = choices.get(question) ?? all.filter(isWanted(question));
  choices.set(question, choice);
  // A template may turn it around, or take from it.
  return [...choice];
}

function isWanted({ tag, statuses }: ServiceQuestion): (instance: InstanceView) => boolean {
  const wanted = tag.toLowerCase();
  return ({ status, tags }) =>
    (statuses.includes('any') || statuses.some((one) => one === status)) &&
    (wanted === '' || tags.some((own) => own.toLowerCase() === wanted));
}

function servicesQuery({ dc, params }: PlaceQuestion): Query {
  const id = `services${idOf({ dc, near: '', params })}`;
  const isPlain = Object.keys(params).length === 0;
  return {
    id,
    source: isPlain ? { kind: 'services', dc } : { kind: 'consul', path: '/v1/catalog/services', params, dc },
    view: (answer) => servicesView(isPlain ? answer : parseServiceList(answer)),
    size: (view) => (view as ReturnType<typeof servicesView>).filter(({ name }) => name !== 'consul').length,
  };
}

function nodeQuery({ subject, dc, params }: PlaceQuestion): Query {
  const path = `/v1/catalog/node/${encodeURIComponent(subject)}`;
  return { id: `node ${subject}${idOf({ dc, near: '', params })}`, source: { kind: 'consul', path, params, dc }, view: nodeServicesView };
}

function nodesQuery({ dc, near, params }: PlaceQuestion): Query {
  const source = { kind: 'consul', path: '/v1/catalog/nodes', params: { ...params, ...(near !== '' && { near }) }, dc } as const;
  return { id: `nodes${idOf({ dc, near, params })}`, source, view: (answer) => nodesView(answer, near !== ''), size: sizeOf };
}

function isUp(reader: Reader, dc: string): boolean {
  const query = servicesQuery({ subject: '', dc, near: '', params: {} });
  reader.read(query);
  return !reader.isGivenUp(query);
}

/** What follows the subject in a query's name, as consul-template writes it. */
function idOf({ dc, near, params }: Pick<PlaceQuestion, 'dc' | 'near' | 'params'>): string {
  const query = Object.entries(params).map(([key, value]) => `${key}=${value}`);
  return `${query.length > 0 ? `?${query.join('&')}` : ''}${dc === '' ? '' : `@${dc}`}${near === '' ? '' : `~${near}`}`;
}

function recordsIn(answer: unknown, name: string): readonly JsonRecord[] {
  const list = isRecord(answer) ? answer[name] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function sizeOf(view: unknown): number {
  return Array.isArray(view) ? view.length : 0;
}
