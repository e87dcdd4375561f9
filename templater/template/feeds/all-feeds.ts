import type { WatchTransport } from '../../../consul/transport.ts';
import { type InnerSignal, innerSignal } from '../../../daemon/inner-signal.ts';
import { datacenterOf, type Query } from '../query.ts';
import { createEndpointsFeed, createPollFeed } from './endpoint-feeds.ts';
import { createFileFeed } from './file-feed.ts';
import type { Feed, FeedPorts, HeldFeed } from './heard.ts';
import { createKeysFeed } from './keys-feed.ts';
import { feelPulse, type PulseTimes } from './pulse.ts';
import { createServicesFeed } from './services-feed.ts';

export type AllFeedsPorts = Omit<FeedPorts, 'transport'> & {
  /** A transport of its own for each datacenter, so that one that hangs takes no connection from the others. */
  readonly transportFor: (dc: string) => WatchTransport;
};

/**
 * Blocking queries for keys, and as many for other endpoints, by what the agent may hold for us. Over HTTP/1.1 the connections are 20 for the
 * agent's own datacenter, and 8 for another; over HTTP/2 they hardly matter.
 */
function heldQueries(capacity: number): number {
  if (capacity > 100) return 400;
  return capacity >= 16 ? 4 : 1;
}

/** Keeps whatever templates read fresh, by the cheapest feed for each kind of source and datacenter. */
export function createAllFeeds({ transportFor, hear, observe }: AllFeedsPorts, pulseTimes: PulseTimes, signal: AbortSignal): Feed {
  const files = createFileFeed({ hear }, signal);
  const datacenters = new Map<string, HeldFeed>();
  let pulse: InnerSignal | undefined;

  function datacenterFeed(dc: string): HeldFeed {
    const known = datacenters.get(dc);
    if (known !== undefined) return known;
    const made = createDatacenterFeed({ transport: transportFor(dc), hear, observe }, signal);
    datacenters.set(dc, made);
    return made;
  }

  /** All datacenters are asked through one agent; while nobody asks it for anything, it may be as it likes. */
  function followAgent(isAsked: boolean): void {
    if (isAsked === (pulse !== undefined)) return;
    pulse?.end();
    pulse = isAsked ? innerSignal(signal) : undefined;
    const recovered = () => {
      for (const feed of datacenters.values()) feed.renew();
    };
    if (pulse !== undefined) void feelPulse({ transport: transportFor(''), hear, observe }, recovered, pulseTimes, pulse.signal);
  }

  return {
    follow: (queries) => {
      followAgent(queries.some(({ source }) => source.kind !== 'file'));
      files.follow(queries.filter(({ source }) => source.kind === 'file'));
      const byDatacenter = new Map<string, Query[]>([...datacenters.keys()].map((dc) => [dc, []]));
      for (const query of queries) {
        if (query.source.kind === 'file') continue;
        const dc = datacenterOf(query);
        byDatacenter.set(dc, [...(byDatacenter.get(dc) ?? []), query]);
      }
      for (const [dc, wanted] of byDatacenter) datacenterFeed(dc).follow(wanted);
    },
  };
}

function createDatacenterFeed(ports: FeedPorts, signal: AbortSignal): HeldFeed {
  const most = () => heldQueries(ports.transport.capacity());
  const keys = createKeysFeed(ports, most, signal);
  const endpoints = createEndpointsFeed(ports, most, signal);
  const polls = createPollFeed(ports, signal);
  let catalog: { readonly feed: HeldFeed; readonly life: InnerSignal } | undefined;

  /** Nobody asks for the catalog: then not even its list is followed. */
  function followCatalog(queries: readonly Query[]): void {
    if (queries.length === 0) {
      catalog?.life.end();
      catalog = undefined;
      return;
    }
    if (catalog === undefined) {
      const life = innerSignal(signal);
      catalog = { feed: createServicesFeed(ports, life.signal), life };
    }
    catalog.feed.follow(queries);
  }

  return {
    follow: (queries) => {
      const of = (...kinds: readonly Query['source']['kind'][]) => queries.filter(({ source }) => kinds.includes(source.kind));
      followCatalog(of('service', 'services'));
      keys.follow(of('key'));
      endpoints.follow(of('consul'));
      polls.follow(of('poll'));
    },
    renew: () => {
      keys.renew();
      endpoints.renew();
      catalog?.feed.renew();
    },
  };
}
