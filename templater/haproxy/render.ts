import { fileURLToPath } from 'node:url';
import nunjucks from 'nunjucks';
import type { EdgeGroup, EdgeInstance, EdgePlan } from '../../model/edge.ts';
import { MOST_WILDCARD_LABELS } from '../../model/host-pattern.ts';
import { changedKeys, withValues } from '../../model/revised-map.ts';
import { checkWords } from './check-words.ts';
import type { EdgeFiles, EdgeSettings } from './edge-settings.ts';
import { pathKeys, vhostKeys } from './path-keys.ts';
import { PLAIN_DEFAULTS } from './plain-section.ts';
import { type EdgeShape, fingerprint } from './shape.ts';
import { cookieKey, cookieName } from './sticky-cookie.ts';
import { isByVariant, VARIANT_SLOTS, variantKeys } from './variant-keys.ts';
import { configWord, formatWord } from './words.ts';

/** What the HAProxy that will read the configuration can do. */
export interface HaproxyFeatures {
  /** `major.minor`, such as 2.6. */
  readonly version: string;
  readonly prometheus: boolean;
  /** It takes backends at run time, from 3.4. */
  readonly addsBackends: boolean;
}

/** Everything that is written for HAProxy, as texts. */
export interface RenderedEdge {
  /** Made when it is asked for: most changes reach HAProxy before they reach the disk. */
  readonly config: () => string;
  /** A path a line. */
  readonly certificateList: string;
  readonly hostsMap: string;
  readonly vhostsMap: string;
  readonly variantsMap: string;
  readonly pathsMap: string;
  readonly shape: EdgeShape;
  /** The shape's, which stands in the configuration too. */
  readonly fingerprint: string;
}

/** What stands in the sections of groups beside the groups' own options. */
interface Https {
  readonly port: number;
}

export type EdgeRenderer = (plan: EdgePlan) => RenderedEdge;

/** What its section says of the variants that its clients keep. */
function variantsOf(group: EdgeGroup, files: EdgeFiles): { cookie: string; slots: number; map: string } | null {
  return isByVariant(group) ? { cookie: cookieName(group.service), slots: VARIANT_SLOTS, map: files.variantsMap } : null;
}

/** What its section says of the cookie of an instance. */
function cookieOf({ key, service, sticky, mode }: EdgeGroup): { name: string; pattern: string; key: string } | null {
  if (sticky !== 'instance' || mode !== 'http') return null;
  const name = cookieName(service);
  return { name, pattern: `^(${name.replaceAll('.', '\\.')}=.*)$`, key: cookieKey(key) };
}

/** How many labels of a host are looked up among wildcard hosts, one number after the other: the longest suffix wins. */
const WILDCARD_LABELS = Array.from({ length: MOST_WILDCARD_LABELS }, (_, i) => MOST_WILDCARD_LABELS - i);

/** Makes a renderer, which is pure; sections of groups that are the same objects as before are remembered. */
export function createRenderer(settings: EdgeSettings, files: EdgeFiles, features: HaproxyFeatures): EdgeRenderer {
  const folder = fileURLToPath(new URL('../templates', import.meta.url));
  const templates = new nunjucks.Environment(new nunjucks.FileSystemLoader(folder), { autoescape: false, throwOnUndefined: true });
  templates.addFilter('word', configWord);
  templates.addFilter('formatWord', formatWord);
  const main = templates.getTemplate('haproxy.cfg.njk', true);
  const section = templates.getTemplate('backend.cfg.njk', true);
  const https: Https = { port: settings.httpsPort };
  const headsOf = rememberedHeads((group, isHttps) =>
    section
      .render({
        group,
        https: isHttps ? https : null,
        cookie: cookieOf(group),
        variants: variantsOf(group, files),
        check: checkWords(group.check !== undefined),
      })
      .trim(),
  );
  const serversOf = remembered((group: EdgeGroup) =>
    group.instances.map((instance) => `    server ${instance.name} ${serverWords(instance)}\n`).join(''),
  );
  const plainDefaults = features.addsBackends ? PLAIN_DEFAULTS : [];
  const bindAddress = settings.bind.includes(':') ? `[${settings.bind}]` : settings.bind;
  const text = (listeners: readonly { port: number; group: string }[], certificates: readonly string[], backends: string, name: string) =>
    main.render({
      settings,
      files,
      features,
      plainDefaults,
      bindAddress,
      wildcardLabels: WILDCARD_LABELS,
      listeners,
      certificates,
      backends,
      fingerprint: name,
    });

  const mapOf = remembered(mapText);
  const nameOf = rememberedFingerprint();
  const baseOf = rememberedLast((...certificates: readonly string[]) => text([], certificates, '', ''));

  return (plan) => {
    const certificates = [...plan.certificates.keys()];
    const heads = headsOf(plan.groups, certificates.length > 0);
    const base = baseOf(...certificates);
    const shape: EdgeShape = { base, listeners: plan.listeners, groups: heads };
    const name = nameOf(shape);
    const listeners = [...plan.listeners].sort(([a], [b]) => a - b).map(([port, group]) => ({ port, group }));
    return {
      config: () => {
        const backends = [...plan.groups.values()].map((group) => `${heads.get(group.key)}\n${serversOf(group)}`);
        return text(listeners, certificates, backends.join('\n'), name);
      },
      certificateList: certificates.map((name) => `${files.certificate(name)}\n`).join(''),
      hostsMap: mapOf(plan.hosts),
      vhostsMap: mapOf(vhostKeys(plan.vhosts)),
      variantsMap: mapOf(variantKeys(plan.groups)),
      pathsMap: mapOf(pathKeys(plan.paths)),
      shape,
      fingerprint: name,
    };
  };
}

/** The text of what is the same object as before is not made anew. */
function remembered<Item extends object>(make: (item: Item) => string): (item: Item) => string {
  const known = new WeakMap<Item, string>();
  return (item) => {
    const made = known.get(item) ?? make(item);
    known.set(item, made);
    return made;
  };
}

/** The sections without their servers, by group key. A group that only has other instances keeps its own; where all do, it is the same map. */
function rememberedHeads(
  make: (group: EdgeGroup, isHttps: boolean) => string,
): (groups: EdgePlan['groups'], isHttps: boolean) => EdgeShape['groups'] {
  let last: { readonly groups: EdgePlan['groups']; readonly isHttps: boolean; readonly heads: EdgeShape['groups'] } | undefined;
  return (groups, isHttps) => {
    const before = last?.isHttps === isHttps ? last : undefined;
    const headOf = (key: string, group: EdgeGroup) => {
      const [old, head] = [before?.groups.get(key), before?.heads.get(key)];
      return old !== undefined && head !== undefined && isSameBesidesInstances(old, group) ? head : make(group, isHttps);
    };
    const changed = before && changedKeys(before.groups, groups);
    const keys = changed ?? [...groups.keys()];
    const made = new Map(keys.flatMap((key) => entryOf(groups, key)).map(([key, group]) => [key, headOf(key, group)]));
    last = { groups, isHttps, heads: before === undefined || changed === undefined ? made : withValues(before.heads, made) };
    return last.heads;
  };
}

function entryOf<Value>(map: ReadonlyMap<string, Value>, key: string): [string, Value][] {
  const value = map.get(key);
  return value === undefined ? [] : [[key, value]];
}

function isSameBesidesInstances(a: EdgeGroup, b: EdgeGroup): boolean {
  return a === b || optionsText(a) === optionsText(b);
}

function optionsText({ instances: _, ...options }: EdgeGroup): string {
  return JSON.stringify(options);
}

/** Hashing a thousand sections costs more than seeing that they are the ones of before. */
function rememberedFingerprint(): (shape: EdgeShape) => string {
  let last: { shape: EdgeShape; name: string } | undefined;
  return (shape) => {
    if (last === undefined || !isSameShape(last.shape, shape)) last = { shape, name: fingerprint(shape) };
    return last.name;
  };
}

function isSameShape(a: EdgeShape, b: EdgeShape): boolean {
  return a.base === b.base && isSameMap(a.listeners, b.listeners) && isSameMap(a.groups, b.groups);
}

function isSameMap<Key, Value>(a: ReadonlyMap<Key, Value>, b: ReadonlyMap<Key, Value>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}

function rememberedLast(make: (...words: readonly string[]) => string): (...words: readonly string[]) => string {
  let last: { key: string; made: string } | undefined;
  return (...words) => {
    const key = words.join('\0');
    if (last?.key !== key) last = { key, made: make(...words) };
    return last.made;
  };
}

function mapText(entries: ReadonlyMap<string, string>): string {
  return [...entries].map(([key, group]) => `${key} ${group}\n`).join('');
}

/** What follows a server's name, in the configuration and in `add server`. */
export function serverWords({ address, port, weight, maxConnections, backup }: EdgeInstance): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${host}:${port} weight ${weight} maxconn ${maxConnections}${backup ? ' backup' : ''}`;
}
