import { byteOrder } from './compare.ts';
import type { GroupOptions } from './edge.ts';
import { EDGE_OPTIONS, type EdgeOption, INSTANCE_DEFAULTS, tagOf } from './edge-options.ts';
import { HTTP_TAGS, isForEdge, NOT_SHOWN, unknownTags, valuesOfTag } from './edge-tags.ts';
import type { EdgeUser } from './edge-user.ts';
import type { HostPattern } from './host-pattern.ts';
import type { Instance } from './instance.ts';
import type { ParsedOption } from './option-values.ts';
import type { PathPrefix } from './path-prefix.ts';
import { type Problem, shownValue } from './problem.ts';
import { withinLimits } from './rule-limits.ts';
import type { Weight } from './weight.ts';

/** What a service asks of the edge as a whole: the union over its instances. */
export interface ServiceRules extends GroupOptions {
  readonly http: boolean;
  /** Without duplicates, sorted. */
  readonly vhosts: readonly HostPattern[];
  /** Without duplicates, sorted. */
  readonly routes: readonly PathPrefix[];
  /** Without duplicates, sorted. */
  readonly ports: readonly number[];
  /** Of equal claims the one with the higher wins. */
  readonly priority: number;
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

/** Reads what a service asks for. Its instances are never empty; `usersKey` is the KV value for its users, which beats the tags. */
export function readRules(service: string, instances: readonly Instance[], usersKey?: string): ReadRules {
  const tags = instances.flatMap((instance) => instance.tags);
  const read = createReading(service, tags);
  const rules = {
    http: isHttp(tags),
    vhosts: read.all(EDGE_OPTIONS.vhost).sort(byteOrder),
    routes: read.all(EDGE_OPTIONS.route).sort(byteOrder),
    ports: read.all(EDGE_OPTIONS.tcp).sort((a, b) => a - b),
    balance: read.first(EDGE_OPTIONS.balance) ?? 'roundrobin',
    check: read.first(EDGE_OPTIONS.check),
    redirect: read.first(EDGE_OPTIONS.redirect),
    sticky: read.first(EDGE_OPTIONS.sticky),
    priority: read.first(EDGE_OPTIONS.priority) ?? 0,
    stripped: read.all(EDGE_OPTIONS.strip).sort((a, b) => b.length - a.length || byteOrder(a, b)),
    users: usersKey === undefined ? read.limit(EDGE_OPTIONS.user) : read.key(EDGE_OPTIONS.user, usersKey),
    networks: read.limit(EDGE_OPTIONS.network)?.sort(byteOrder),
  } satisfies ServiceRules;
  const users = rules.users && oneOfEachName(rules.users);
  const { problems: ofLimits, ...claims } = withinLimits(service, rules);
  return {
    rules: { ...rules, ...claims, users },
    good: read.isGood(),
    problems: [
      ...(isForEdge(tags) ? read.problems() : []),
      ...ofLimits,
      ...unknownTags(tags).map((unknown) => unknownProblem(service, unknown)),
    ],
  };
}

function isHttp(tags: readonly string[]): boolean {
  const implying = [EDGE_OPTIONS.route, EDGE_OPTIONS.vhost].flatMap((option) => option.tags);
  return tags.some((tag) => HTTP_TAGS.includes(tag)) || implying.some((spelling) => valuesOfTag(tags, spelling).length > 0);
}

/** A user may be there twice, with two passwords; the first in byte order is taken, so that all edges agree. */
function oneOfEachName(users: readonly EdgeUser[]): readonly EdgeUser[] {
  const sorted = users.toSorted((a, b) => byteOrder(a.name, b.name) || byteOrder(a.hash, b.hash));
  return sorted.filter(({ name }, i) => name !== sorted[i - 1]?.name);
}

function unknownProblem(subject: string, { name, nearest }: { readonly name: string; readonly nearest: string }): Problem {
  const blank = /\s/.test(name) ? ' (without the blank in it)' : '';
  const reason = `the edge knows no such tag and leaves it out; the nearest it knows is ${nearest}${blank}`;
  return { subject, option: shownValue(name), reason };
}

/** Reads the options of one service's tags, and remembers what was wrong. */
interface Reading {
  /** Every value of an option, each once. */
  readonly all: <Value>(option: EdgeOption<Value>) => Value[];
  /** As `all`, but undefined when nobody speaks of it: a limit that does not parse still is one. */
  readonly limit: <Value>(option: EdgeOption<Value>) => Value[] | undefined;
  /** The values of a key instead of the tags', one a line. */
  readonly key: <Value>(option: EdgeOption<Value>, text: string) => Value[];
  /** The first value in byte order; a difference is a problem. */
  readonly first: <Value>(option: EdgeOption<Value>) => Value | undefined;
  /** Whether all that was read could be taken. */
  readonly isGood: () => boolean;
  readonly problems: () => readonly Problem[];
}

function createReading(service: string, tags: readonly string[]): Reading {
  const problems: Problem[] = [];
  let isGood = true;
  const textsOf = ({ tags: spellings, isList }: EdgeOption<unknown>) => {
    const texts = spellings.flatMap((spelling) => valuesOfTag(tags, spelling));
    return distinct(isList === true ? texts.flatMap((text) => text.split(',').map((item) => item.trim())) : texts);
  };
  const taken = <Value>(option: EdgeOption<Value>, texts: readonly string[]) => {
    const values = texts.flatMap((text) => {
      const parsed = option.parse(text);
      if (parsed.kind !== 'taken') problems.push(problemOf(service, option, text, parsed.reason));
      if (parsed.kind === 'refused') isGood = false;
      return parsed.kind === 'refused' ? [] : [parsed.value];
    });
    return [...new Set(values)];
  };
  return {
    all: (option) => taken(option, textsOf(option)),
    limit: (option) => {
      const texts = textsOf(option);
      return texts.length === 0 ? undefined : taken(option, texts);
    },
    key: (option, text) => {
      const lines = distinct(text.split('\n').map((line) => line.trim())).filter((line) => line !== '');
      return taken(option, lines.length > 0 ? lines : ['']);
    },
    first: (option) => {
      const texts = textsOf(option);
      const [value] = taken(option, texts);
      if (texts.length > 1)
        problems.push(problemOf(service, option, texts.join(' | '), 'its instances differ; the first in byte order is taken'));
      return value;
    },
    isGood: () => isGood,
    problems: () => problems,
  };
}

/** What an instance sets for itself. */
export interface InstanceOptions {
  readonly weight: Weight;
  readonly maxConnections: number;
  readonly backup: boolean;
}

/** Reads an instance's own options; `maxConnectionsKey` is the KV value for its service, which beats the tag. */
export function readInstanceOptions(
  instance: Instance,
  maxConnectionsKey: string | undefined,
): { options: InstanceOptions; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const { service, tags } = instance;
  const fromKey =
    maxConnectionsKey === undefined
      ? undefined
      : taken(EDGE_OPTIONS.maxConnections, maxConnectionsKey.trim(), service, problems, `haproxy/${service}/maxconn`);
  return {
    options: {
      weight: ofInstance(EDGE_OPTIONS.weight, tags, service, problems) ?? INSTANCE_DEFAULTS.weight,
      maxConnections: fromKey ?? ofInstance(EDGE_OPTIONS.maxConnections, tags, service, problems) ?? INSTANCE_DEFAULTS.maxConnections,
      backup: ofInstance(EDGE_OPTIONS.backup, tags, service, problems) ?? INSTANCE_DEFAULTS.backup,
    },
    problems,
  };
}

/** The first value that can be taken: an earlier spelling beats a later one, an earlier tag a later one. */
function ofInstance<Value>(option: EdgeOption<Value>, tags: readonly string[], service: string, problems: Problem[]): Value | undefined {
  const said = option.tags.flatMap((spelling) => valuesOfTag(tags, spelling).map((text) => ({ spelling, text })));
  const texts = said.map(({ text }) => text);
  if (new Set(texts).size > 1)
    problems.push(problemOf(service, option, texts.join(' | '), 'one instance has several; the first is taken', said[0]?.spelling));
  for (const { spelling, text } of said) {
    const value = taken(option, text, service, problems, spelling);
    if (value !== undefined) return value;
  }
  return undefined;
}

function taken<Value>(option: EdgeOption<Value>, text: string, service: string, problems: Problem[], name?: string): Value | undefined {
  const parsed: ParsedOption<Value> = option.parse(text);
  if (parsed.kind !== 'taken') problems.push(problemOf(service, option, text, parsed.reason, name));
  return parsed.kind === 'refused' ? undefined : parsed.value;
}

function problemOf<Value>(subject: string, option: EdgeOption<Value>, value: string, reason: string, name = tagOf(option)): Problem {
  return { subject, option: name, value: option.isSecret === true ? NOT_SHOWN : shownValue(value), reason };
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(byteOrder);
}
