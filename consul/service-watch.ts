import type { QueryState } from './blocking-query.ts';
import type { ServiceAnswer } from './gathered-catalog.ts';
import type { ConsulTransport } from './transport.ts';

/** A way to follow what `/v1/health/service/:name` answers, for many names. Its lifetime is the signal it is started with. */
export interface ServiceWatch {
  /** The list of services moved to this index: follow these from now on, and no others. */
  readonly follow: (names: ReadonlySet<string>, listIndex: number) => void;
  /** Ask at once, without an index, what gets no answer at the moment; or everything, when Consul may be another one than before. */
  readonly renew: (what: 'failing' | 'all') => void;
}

/** What a way of watching needs of its owner. */
export interface ServiceWatchPorts {
  readonly transport: ConsulTransport;
  readonly hear: (name: string, answer: ServiceAnswer) => void;
  readonly observe: (name: string, state: QueryState) => void;
}

export type StartServiceWatch = (ports: ServiceWatchPorts, signal: AbortSignal) => ServiceWatch;
