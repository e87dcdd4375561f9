import type { EdgeGroup, EdgePlan, VirtualHost } from '../../model/edge.ts';
import { type PathPrefix, showPathPrefix } from '../../model/path-prefix.ts';
import { changedKeys } from '../../model/revised-map.ts';

/** A plan as texts by name, such as `host web.service` → `web`: what is kept of it on disk, and compared. Certificates are no part of it. */
export type PlanEntries = ReadonlyMap<string, string>;

/** What made one plan of another. */
export interface EntriesChange {
  readonly set: readonly (readonly [name: string, text: string])[];
  readonly drop: readonly string[];
}

const RULES = ['hosts', 'vhosts', 'paths', 'listeners'] as const;

/** What changed from one plan to the next; parts that are the same objects are not looked at. Pure. */
export function changeOfPlan(before: EdgePlan | undefined, after: EdgePlan): EntriesChange {
  const set: (readonly [string, string])[] = [];
  const drop: string[] = [];
  const compare = <Key, Value>(
    part: string,
    old: ReadonlyMap<Key, Value> | undefined,
    now: ReadonlyMap<Key, Value>,
    text: (value: Value) => string,
  ) => {
    const changed = old && changedKeys(old, now);
    for (const key of changed ?? now.keys()) {
      const value = now.get(key);
      if (value !== undefined && old?.get(key) !== value) set.push([`${part} ${key}`, text(value)]);
    }
    if (changed === undefined) for (const key of old?.keys() ?? []) if (!now.has(key)) drop.push(`${part} ${key}`);
  };
  compare('groups', before?.groups, after.groups, (group) => JSON.stringify(group));
  for (const part of RULES) compare<unknown, string>(part, before?.[part], after[part], String);
  return { set, drop };
}

/** What differs between two plans by their texts. Pure. */
export function changeOfEntries(before: PlanEntries, after: PlanEntries): EntriesChange {
  return {
    set: [...after].filter(([name, text]) => before.get(name) !== text),
    drop: [...before.keys()].filter((name) => !after.has(name)),
  };
}

export function withChange(entries: PlanEntries, { set, drop }: EntriesChange): PlanEntries {
  const next = new Map(entries);
  for (const [name, text] of set) next.set(name, text);
  for (const name of drop) next.delete(name);
  return next;
}

/** The plan that entries stand for, without certificates. @throws SyntaxError when they are none of ours. */
export function planOfEntries(entries: PlanEntries): EdgePlan {
  const part = (wanted: string) =>
    [...entries].flatMap(([name, text]) => (name.startsWith(`${wanted} `) ? [[name.slice(wanted.length + 1), text] as const] : []));
  return {
    groups: new Map(part('groups').map(([key, text]) => [key, JSON.parse(text) as EdgeGroup])),
    hosts: new Map(part('hosts')),
    vhosts: new Map(part('vhosts') as [VirtualHost, string][]),
    paths: new Map(part('paths') as [PathPrefix, string][]),
    listeners: new Map(part('listeners').map(([port, group]) => [Number(port), group])),
    certificates: new Map(),
  };
}

/** What an operator reads of a change: lines that go with `-`, lines that come with `+`, by name. Pure. */
export function diffLines(before: PlanEntries, { set, drop }: EntriesChange): readonly string[] {
  const names = [...set.map(([name]) => name), ...drop].sort();
  const after = new Map(set);
  return names.flatMap((name) => {
    const [old, now] = [linesOf(name, before.get(name)), linesOf(name, after.get(name))];
    return [
      ...old.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
      ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
    ];
  });
}

function linesOf(name: string, text: string | undefined): string[] {
  if (text === undefined) return [];
  const [, part = '', key = ''] = /^(\w+) (.*)$/s.exec(name) ?? [];
  if (part === 'groups') return groupLines(JSON.parse(text) as EdgeGroup);
  const word = { hosts: 'host', vhosts: 'host', paths: 'path', listeners: 'TCP port' }[part] ?? part;
  return [`${word} ${part === 'paths' ? showPathPrefix(key as PathPrefix) : key} → ${text}`];
}

function groupLines(group: EdgeGroup): string[] {
  const { key, mode, instances, ...options } = group;
  const { service: _, users, ...shown } = options;
  const said = Object.entries({ ...shown, ...(users !== undefined && { users: users.map(({ name }) => name) }) })
    .filter(([option, value]) => value !== undefined && !(option === 'stripped' && group.stripped.length === 0))
    .map(([option, value]) => `${option} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [
    `${mode === 'http' ? 'HTTP' : 'TCP'} service ${key}: ${said.join(', ')}`,
    ...instances.map(
      ({ name, address, port, weight, maxConnections, backup }) =>
        `instance ${key}/${name} at ${address.includes(':') ? `[${address}]` : address}:${port}, weight ${weight}, at most ${maxConnections} connections${backup ? ', backup' : ''}`,
    ),
  ];
}
