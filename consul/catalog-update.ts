import type { Catalog } from '../model/catalog.ts';
import type { Problem } from '../model/problem.ts';

/** How the queries that are no service's own are called in evidence, status and log. */
export const CATALOG_QUERY = '/v1/catalog/services';
export const KEYS_QUERY = '/v1/kv';
export const DATACENTERS_QUERY = '/v1/catalog/datacenters';

/** A snapshot of the catalog, and what a guard has to know of its source. */
export interface CatalogUpdate {
  readonly catalog: Catalog;
  /** When the newest answer in it arrived, milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Names whose instances differ from the update that was taken before; gone ones too, sorted. The first update names all. */
  readonly changed: readonly string[];
  readonly evidence: Evidence;
  /** Entries that could not be read, and are left out. */
  readonly problems: readonly Problem[];
}

/**
 * What speaks for or against believing a snapshot. All of it is the state of the answers the snapshot is made of,
 * not an event: an update that was skipped takes nothing with it.
 */
export interface Evidence {
  /** How many services Consul listed, wanted or not. Consul lists itself: 0 means that a token sees nothing, or that it is not Consul. */
  readonly listed: number;
  /** Answers that came from a server without a known leader, by query: {@link CATALOG_QUERY}, {@link KEYS_QUERY} or the service's name; sorted. */
  readonly withoutLeader: readonly string[];
  /** Answers that a token was not allowed to see whole, by query, sorted. */
  readonly filteredByAcl: readonly string[];
  /** Services that are listed and whose own answer has no instance: a deregistration that is a few milliseconds old, or a token that may not see them. */
  readonly emptyThoughListed: readonly string[];
  /** What has not been answered yet. Such a service is not in the catalog, which does not mean that it has no instance. */
  readonly unanswered: { readonly services: readonly string[]; readonly keys: boolean; readonly datacenters: boolean };
  /** The last time that an index went back: Consul lost its data, was restored, or another one answers. */
  readonly wentBack?: WentBack;
}

/**
 * An index that went back, and what in this snapshot is new since then: compared with the snapshot before it, whatever is missing there may have been lost.
 * What was answered twice since is not: the Consul that there is now has told of it, and no longer does.
 */
export interface WentBack {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  /** Services, sorted. */
  readonly services: readonly string[];
  readonly keys: boolean;
}
