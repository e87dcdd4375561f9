import { CATALOG_QUERY, type CatalogUpdate, KEYS_QUERY } from '../consul/catalog-update.ts';
import { createAlarm } from '../daemon/alarm.ts';
import type { Logger } from '../daemon/log.ts';
import type { Catalog } from '../model/catalog.ts';
import { type Guarded, guard, type HeldKeys, type Hold, type Report } from '../model/guard.ts';

/** What a hold of keys has in the place of a service's name, and what no service's name can be. */
export const HELD_KEYS = 'haproxy/*';

/** A hold as /status tells it. */
export interface ToldHold {
  /** A service's name, or {@link HELD_KEYS}. */
  readonly service: string;
  readonly reason: string;
  readonly since: string;
  readonly until: string;
  /** How many are held; of keys, how many keys. */
  readonly instances: number;
}

/** What is believed of the catalog: Consul's word, but for what looks like an outage of Consul. */
export interface BelievedCatalog {
  readonly told: (update: CatalogUpdate) => void;
  /** Gives up all holds, or those of one service. Answers the services whose holds were given up. */
  readonly release: (service?: string) => readonly string[];
  readonly holds: () => readonly ToldHold[];
}

export interface BelievedCatalogParts {
  /** What was believed when the program last ran. */
  readonly last: Catalog | undefined;
  readonly holdMs: number;
  /** Called with what is believed from now on, and why. */
  readonly believe: (catalog: Catalog, why: string) => void;
  readonly log: Logger;
  readonly now?: () => number;
}

export function createBelievedCatalog({ last, holdMs, believe, log, now = Date.now }: BelievedCatalogParts): BelievedCatalog {
  let guarded: Guarded = { catalog: last ?? { services: new Map(), datacenters: [], keys: new Map() }, holds: new Map() };
  let newest: Report | undefined;
  let filtered: ReadonlySet<string> = new Set();
  const alarm = createAlarm((why) => step(newest, why));

  function step(report: Report | undefined, why: string): void {
    if (report === undefined) return;
    accept(guard(guarded, report, now(), holdMs), why);
  }

  function accept(next: Guarded, why: string): void {
    for (const [service, hold] of next.holds) if (!guarded.holds.has(service)) log.warn(toldHold(hold), 'hold');
    for (const service of guarded.holds.keys()) if (!next.holds.has(service)) log.info({ service }, 'hold is over');
    if (guarded.heldKeys === undefined && next.heldKeys !== undefined) log.warn(toldKeys(next.heldKeys), 'hold');
    if (guarded.heldKeys !== undefined && next.heldKeys === undefined) log.info({ service: HELD_KEYS }, 'hold is over');
    guarded = next;
    alarm.off();
    const first = Math.min(...[...next.holds.values()].map(({ until }) => until), next.heldKeys?.until ?? Number.POSITIVE_INFINITY);
    if (Number.isFinite(first)) alarm.in(Math.max(0, first - now()), 'a hold is over');
    believe(next.catalog, why);
  }

  return {
    told: (update) => {
      newest = reportOf(update, filtered, guarded.catalog.keys);
      filtered = new Set(update.evidence.filteredByAcl);
      step(newest, whyOf(update));
      // Doubt belongs to the moment: what is held now stays held, and what goes later is believed.
      newest = { catalog: newest.catalog, doubt: undefined, doubtOf: () => undefined, doubtOfKeys: undefined };
    },
    release: (service) => {
      const held = [...guarded.holds.keys(), ...(guarded.heldKeys === undefined ? [] : [HELD_KEYS])];
      const names = held.filter((name) => service === undefined || name === service);
      if (newest === undefined || names.length === 0) return [];
      const services = new Map(guarded.catalog.services);
      const holds = new Map(guarded.holds);
      for (const name of names) {
        holds.delete(name);
        const told = newest.catalog.services.get(name);
        if (told === undefined) services.delete(name);
        else services.set(name, told);
      }
      const letsKeysGo = names.includes(HELD_KEYS);
      const keys = letsKeysGo ? newest.catalog.keys : guarded.catalog.keys;
      const heldKeys = letsKeysGo ? undefined : guarded.heldKeys;
      accept({ catalog: { ...guarded.catalog, services, keys }, holds, heldKeys }, `released by hand: ${names.join(', ')}`);
      return names;
    },
    holds: () => [...[...guarded.holds.values()].map(toldHold), ...(guarded.heldKeys === undefined ? [] : [toldKeys(guarded.heldKeys)])],
  };
}

/** `keysBefore` are believed as long as Consul has not answered for the keys at all. */
function reportOf({ catalog, evidence }: CatalogUpdate, filteredBefore: ReadonlySet<string>, keysBefore: Catalog['keys']): Report {
  const { listed, withoutLeader, filteredByAcl, unanswered, wentBack } = evidence;
  const back = wentBack && `Consul's index went back from ${wentBack.from} to ${wentBack.to}`;
  const wentBackOf = new Set(wentBack?.services);
  const newlyFiltered = new Set(filteredByAcl.filter((query) => !filteredBefore.has(query)));
  const doubtOf = (query: string) => {
    if (unanswered.services.includes(query)) return 'Consul has not answered for it yet';
    if (wentBackOf.has(query)) return back;
    if (withoutLeader.includes(query)) return 'Consul answered without a leader';
    return newlyFiltered.has(query) ? 'Consul hides a part of its answer from this token since now' : undefined;
  };
  const nothing = listed === 0 ? 'Consul lists no service, not even itself' : undefined;
  return {
    catalog: unanswered.keys ? { ...catalog, keys: keysBefore } : catalog,
    doubt: nothing ?? doubtOf(CATALOG_QUERY),
    doubtOf,
    doubtOfKeys: (wentBack?.keys ? back : undefined) ?? doubtOf(KEYS_QUERY),
  };
}

function whyOf({ changed }: CatalogUpdate): string {
  if (changed.length === 0) return 'the catalog changed';
  return `changed in Consul: ${changed.slice(0, 5).join(', ')}${changed.length > 5 ? ` and ${changed.length - 5} more` : ''}`;
}

function toldHold({ service, reason, since, until, instances }: Hold): ToldHold {
  return { service, reason, since: new Date(since).toISOString(), until: new Date(until).toISOString(), instances: instances.size };
}

function toldKeys({ reason, since, until, keys }: HeldKeys): ToldHold {
  return { service: HELD_KEYS, reason, since: new Date(since).toISOString(), until: new Date(until).toISOString(), instances: keys.size };
}
