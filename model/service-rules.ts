import { byteOrder } from './compare.ts';
import type { Balance, HttpCheck, Redirect } from './edge.ts';
import { EDGE_OPTIONS, type EdgeOption, HTTP_TAGS, INSTANCE_DEFAULTS, isForEdge, valuesOfTag } from './edge-options.ts';
import type { Instance } from './instance.ts';
import type { PathPrefix } from './path-prefix.ts';
import { type Problem, shownValue } from './problem.ts';
import type { Weight } from './weight.ts';

/** What a service asks of the edge as a whole: the union over its instances. */
export interface ServiceRules {
  readonly http: boolean;
  /** Without duplicates, sorted. */
  readonly routes: readonly PathPrefix[];
  /** Without duplicates, sorted. */
  readonly ports: readonly number[];
  readonly balance: Balance;
  readonly check: HttpCheck | undefined;
  readonly redirect: Redirect | undefined;
}

/** What the tags of a service's instances say. */
export interface ReadRules {
  readonly rules: ServiceRules;
  /** False when a value was refused that the rules are made of; then the rules are those without it. */
  readonly good: boolean;
  readonly problems: readonly Problem[];
}

/** Whether the rules give the service anything at the edge. */
export function isServedAtEdge({ http, ports }: ServiceRules): boolean {
  return http || ports.length > 0;
}

/** Reads what a service asks for. Its instances are never empty. */
export function readRules(service: string, instances: readonly Instance[]): ReadRules {
  const problems: Problem[] = [];
  const tags = instances.flatMap((instance) => instance.tags);
  const routes = claims(EDGE_OPTIONS.route, tags, service, problems);
  const ports = claims(EDGE_OPTIONS.tcp, tags, service, problems);
  const balance = ofService(EDGE_OPTIONS.balance, tags, service, problems);
  const check = ofService(EDGE_OPTIONS.check, tags, service, problems);
  const redirect = ofService(EDGE_OPTIONS.redirect, tags, service, problems);
  const http =
    tags.some((tag) => HTTP_TAGS.includes(tag)) || EDGE_OPTIONS.route.tags.some((spelling) => valuesOfTag(tags, spelling).length > 0);
  return {
    rules: {
      http,
      routes: [...new Set(routes.values)].sort(byteOrder),
      ports: [...new Set(ports.values)].sort((a, b) => a - b),
      balance: balance.value ?? 'roundrobin',
      check: check.value,
      redirect: redirect.value,
    },
    good: routes.good && ports.good && balance.good && check.good && redirect.good,
    problems: isForEdge(tags) ? problems : [],
  };
}

function claims<Value>(
  option: EdgeOption<Value>,
  tags: readonly string[],
  service: string,
  problems: Problem[],
): { values: Value[]; good: boolean } {
  const texts = distinct(option.tags.flatMap((spelling) => valuesOfTag(tags, spelling)));
  const values: Value[] = [];
  for (const text of texts) {
    const parsed = option.parse(text);
    if (parsed.kind !== 'taken') problems.push(problemOf(service, option, text, parsed.reason));
    if (parsed.kind !== 'refused') values.push(parsed.value);
  }
  return { values, good: values.length === texts.length };
}

function ofService<Value>(
  option: EdgeOption<Value>,
  tags: readonly string[],
  service: string,
  problems: Problem[],
): { value: Value | undefined; good: boolean } {
  const { values, good } = claims(option, tags, service, problems);
  const texts = distinct(option.tags.flatMap((spelling) => valuesOfTag(tags, spelling)));
  if (texts.length > 1)
    problems.push(problemOf(service, option, texts.join(' | '), 'its instances differ; the first in byte order is taken'));
  return { value: values[0], good };
}

/** What an instance sets for itself. */
export interface InstanceOptions {
  readonly weight: Weight;
  readonly maxConnections: number;
}

/** Reads an instance's own options; `maxConnectionsKey` is the KV value for its service, which beats the tag. */
export function readInstanceOptions(
  instance: Instance,
  maxConnectionsKey: string | undefined,
): { options: InstanceOptions; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const { service, tags } = instance;
  const fromKey =
    maxConnectionsKey === undefined ? undefined : taken(EDGE_OPTIONS.maxConnections, maxConnectionsKey.trim(), service, problems);
  return {
    options: {
      weight: ofInstance(EDGE_OPTIONS.weight, tags, service, problems) ?? INSTANCE_DEFAULTS.weight,
      maxConnections: fromKey ?? ofInstance(EDGE_OPTIONS.maxConnections, tags, service, problems) ?? INSTANCE_DEFAULTS.maxConnections,
    },
    problems,
  };
}

/** The first value that can be taken: an earlier spelling beats a later one, an earlier tag a later one. */
function ofInstance<Value>(option: EdgeOption<Value>, tags: readonly string[], service: string, problems: Problem[]): Value | undefined {
  const texts = option.tags.flatMap((spelling) => valuesOfTag(tags, spelling));
  if (new Set(texts).size > 1) problems.push(problemOf(service, option, texts.join(' | '), 'one instance has several; the first is taken'));
  for (const text of texts) {
    const value = taken(option, text, service, problems);
    if (value !== undefined) return value;
  }
  return undefined;
}

function taken<Value>(option: EdgeOption<Value>, text: string, service: string, problems: Problem[]): Value | undefined {
  const parsed = option.parse(text);
  if (parsed.kind !== 'taken') problems.push(problemOf(service, option, text, parsed.reason));
  return parsed.kind === 'refused' ? undefined : parsed.value;
}

function problemOf<Value>(subject: string, option: EdgeOption<Value>, value: string, reason: string): Problem {
  return { subject, option: option.name, value: shownValue(value), reason };
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(byteOrder);
}
