import { byteOrder } from '../model/compare.ts';
import { type Problem, shownValue } from '../model/problem.ts';
import { createAnsweredServices } from './answered-services.ts';
import type { BlockingAnswer } from './blocking-query.ts';
import type { ServiceList } from './catalog-list.ts';
import { CATALOG_QUERY, type CatalogUpdate, KEYS_QUERY } from './catalog-update.ts';
import type { HealthAnswer } from './health-entry.ts';
import type { KeyValue } from './key-values.ts';
import { createLineage } from './lineage.ts';

/** What a service's own query answered. */
export type ServiceAnswer = BlockingAnswer<HealthAnswer>;

/** Puts the answers of many queries together to one catalog. Each `…Answered` tells whether a consumer could see a difference. */
export interface GatheredCatalog {
  /** `refused` are names that are wanted too, and that Consul cannot be asked for. */
  readonly listAnswered: (answer: BlockingAnswer<ServiceList>, wanted: ReadonlySet<string>, refused: readonly string[]) => boolean;
  /** Until the list is answered again, what services answer may be a part of something larger. */
  readonly listFailed: () => void;
  readonly serviceAnswered: (name: string, answer: ServiceAnswer) => boolean;
  readonly keysAnswered: (answer: BlockingAnswer<readonly KeyValue[]>) => boolean;
  readonly datacentersAnswered: (datacenters: readonly string[]) => boolean;
  /** True once the list was answered; before that there is no catalog at all. */
  readonly isListed: () => boolean;
  /**
   * What there is would look like a loss: the list is not known at the moment; or everything is new, as at the start and after a time without
   * services, and not all of it was answered.
   */
  readonly isGathering: () => boolean;
  /** How many services have answered. */
  readonly answered: () => number;
  /** The catalog as it is now; `changed` is counted from the last one taken. */
  readonly take: () => CatalogUpdate;
}

export function createGatheredCatalog(now: () => number = Date.now): GatheredCatalog {
  const services = createAnsweredServices();
  const doubts = createDoubts();
  let wanted: ReadonlySet<string> = new Set();
  let unaskable: readonly string[] = [];
  let listed: number | undefined;
  let keys: ReadonlyMap<string, string> | undefined;
  let datacenters: readonly string[] | undefined;
  const lineage = createLineage(now);
  let isAllNew = true;
  let isListFailing = false;
  let receivedAt = 0;

  return {
    listAnswered: (answer, names, refused) => {
      receivedAt = now();
      lineage.listAnswered(answer, wanted);
      const wasFailing = isListFailing;
      isListFailing = false;
      const gone = names === wanted ? [] : services.keepOnly(names);
      gone.forEach(doubts.forget);
      const doubted = doubts.heard(CATALOG_QUERY, answer);
      const isNews = listed === undefined || (listed === 0) !== (answer.body.size === 0) || unaskable.join('\0') !== refused.join('\0');
      unaskable = refused;
      if (services.size() === 0 && names.size > 0) isAllNew = true;
      wanted = names;
      listed = answer.body.size;
      return gone.length > 0 || doubted || isNews || wasFailing || answer.wentBackFrom !== undefined;
    },
    listFailed: () => {
      isListFailing = true;
    },
    serviceAnswered: (name, answer) => {
      if (!wanted.has(name)) return false;
      receivedAt = now();
      lineage.serviceAnswered(name, answer);
      const isChanged = services.answered(name, answer.body);
      return doubts.heard(name, answer) || isChanged;
    },
    keysAnswered: (answer) => {
      receivedAt = now();
      lineage.keysAnswered(answer);
      const doubted = doubts.heard(KEYS_QUERY, answer);
      const after = new Map(answer.body.map(({ path, value }) => [path, value]));
      if (keys !== undefined && isSameKeys(keys, after)) return doubted;
      keys = after;
      return true;
    },
    datacentersAnswered: (after) => {
      if (datacenters?.join('\n') === after.join('\n')) return false;
      datacenters = after;
      return true;
    },
    isListed: () => listed !== undefined,
    isGathering: () => isListFailing || (isAllNew && !(keys !== undefined && datacenters !== undefined && services.size() === wanted.size)),
    answered: services.size,
    take: () => {
      const { services: present, changed, empty, problems } = services.take();
      isAllNew = false;
      const wentBack = lineage.take();
      return {
        catalog: { services: present, datacenters: datacenters ?? [], keys: keys ?? new Map() },
        receivedAt,
        changed,
        problems: [...problems, ...unaskable.map(unaskableProblem)],
        evidence: {
          listed: listed ?? 0,
          ...doubts.list(),
          emptyThoughListed: empty,
          unanswered: {
            services: services.size() === wanted.size ? [] : [...wanted].filter((name) => !services.has(name)).sort(byteOrder),
            keys: keys === undefined,
            datacenters: datacenters === undefined,
          },
          ...(wentBack !== undefined && { wentBack }),
        },
      };
    },
  };
}

/** Which of the last answers a guard should doubt. */
function createDoubts() {
  const withoutLeader = new Set<string>();
  const filteredByAcl = new Set<string>();
  return {
    /** True when this answer is doubted otherwise than the query's last one. */
    heard: (query: string, answer: BlockingAnswer<unknown>): boolean => {
      const leader = put(withoutLeader, query, !answer.knownLeader);
      const acl = put(filteredByAcl, query, answer.filteredByAcl);
      return leader || acl;
    },
    forget: (query: string) => {
      withoutLeader.delete(query);
      filteredByAcl.delete(query);
    },
    list: () => ({ withoutLeader: [...withoutLeader].sort(byteOrder), filteredByAcl: [...filteredByAcl].sort(byteOrder) }),
  };
}

function put(set: Set<string>, item: string, isIn: boolean): boolean {
  if (set.has(item) === isIn) return false;
  if (isIn) set.add(item);
  else set.delete(item);
  return true;
}

function isSameKeys(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([path, value]) => b.get(path) === value);
}

function unaskableProblem(name: string): Problem {
  const shown = shownValue(name);
  return {
    subject: shown,
    option: 'name',
    value: shown,
    reason: 'Consul answers no question for a name with such characters; rename the service',
  };
}
