import type { Evidence } from './feeds/heard.ts';

/** What a new answer is judged by. Sizes are numbers of instances, services, nodes or keys. */
export interface Case {
  /** Undefined for the first answer. */
  readonly before: number | undefined;
  readonly after: number;
  readonly evidence: Evidence;
  /** Since the last answer some query of the datacenter failed, or its index went back. */
  readonly trouble: 'none' | 'failed' | 'went back';
  /** Nothing but Consul itself is in the catalog. */
  readonly isCatalogEmpty: boolean;
  /** An answer is withheld already. */
  readonly isHeld: boolean;
}

/**
 * Why an answer should not be believed at once, or undefined. Pure. The first row that fits counts.
 *   before | after   |                                        |
 *   -------|---------|----------------------------------------|------------------------------
 *   none   |         |                                        | believed
 *   n      | n, more |                                        | believed; ends a hold
 *   n      | fewer   | no leader                              | held
 *   n      | fewer   | filtered by ACL                        | held
 *   n      | fewer   | the index went back                    | held
 *   n      | none    | Consul was away a moment ago           | held
 *   n      | none    | the whole catalog is empty             | held
 *   n      | fewer   | held already                           | held until it is over
 *   n      | fewer   |                                        | believed
 */
export function doubt({ before, after, evidence, trouble, isCatalogEmpty, isHeld }: Case): string | undefined {
  if (before === undefined || after >= before) return undefined;
  const loss = `${before} became ${after}`;
  if (!evidence.knownLeader) return `${loss} while Consul has no leader`;
  if (evidence.filteredByAcl) return `${loss}, and the token may not see everything`;
  if (evidence.wentBackFrom !== undefined || trouble === 'went back')
    return `${loss} as Consul's index went back: it lost its data, or is another one`;
  if (after === 0 && trouble === 'failed') return `${loss} as Consul came back`;
  if (after === 0 && isCatalogEmpty) return `${loss} as the whole catalog became empty`;
  return isHeld ? `${loss} since Consul was in doubt` : undefined;
}
