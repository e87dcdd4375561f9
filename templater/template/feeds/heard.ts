import type { BlockingAnswer, QueryState } from '../../../consul/blocking-query.ts';
import type { WatchTransport } from '../../../consul/transport.ts';
import type { Query } from '../query.ts';

/** What speaks for or against believing an answer. */
export type Evidence = Pick<BlockingAnswer<unknown>, 'knownLeader' | 'filteredByAcl' | 'wentBackFrom'>;

/** Where feeds put what they hear. */
export interface FeedPorts {
  readonly transport: WatchTransport;
  /** A whole answer, as the query's source says in brackets. */
  readonly hear: (query: Query, answer: unknown, evidence: Evidence) => void;
  readonly observe: (query: Query, state: QueryState) => void;
}

/** Keeps queries of some kind fresh; its lifetime is the signal it was started with. */
export interface Feed {
  /** Follow these from now on, and no others. */
  readonly follow: (queries: readonly Query[]) => void;
}

/** A feed of requests that the agent holds. */
export interface HeldFeed extends Feed {
  /** Has them asked anew: an agent that hung may have swallowed them. */
  readonly renew: () => void;
}

/** Of a file and the like: nothing to doubt. */
export const UNDOUBTED: Evidence = { knownLeader: true, filteredByAcl: false };
