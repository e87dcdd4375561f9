import { watchServices } from '../../../consul/adaptive-service-watch.ts';
import { blockingQuery, createRenewal, type QueryState } from '../../../consul/blocking-query.ts';
import { parseServiceList } from '../../../consul/catalog-list.ts';
import { CATALOG_QUERY } from '../../../consul/catalog-update.ts';
import type { Query } from '../query.ts';
import { type FeedPorts, type HeldFeed, UNDOUBTED } from './heard.ts';

const LIST_MAX_BACKOFF_MS = 2_000;

/** The catalog of one datacenter: the list of services, which every template that names one may need to be doubted by, and the services themselves. */
export function createServicesFeed({ transport, hear, observe }: FeedPorts, signal: AbortSignal): HeldFeed {
  let byName: ReadonlyMap<string, Query> = new Map();
  let list: Query | undefined;
  let answered: { readonly body: ReturnType<typeof parseServiceList>; readonly index: number } | undefined;
  let isListFailing = false;
  const renewal = createRenewal();

  const services = watchServices(
    {
      transport,
      hear: (name, answer) => {
        const query = byName.get(name);
        if (query !== undefined) hear(query, answer.body.entries, answer);
      },
      observe: (name, state) => {
        const query = byName.get(name);
        if (query !== undefined) observe(query, state);
      },
    },
    signal,
  );

  function observeList(state: QueryState): void {
    observe(list ?? LIST, state);
    if (isListFailing && state.kind === 'ok') services.renew('failing');
    isListFailing = state.kind === 'failing';
  }

  async function followList(): Promise<void> {
    const query = { path: CATALOG_QUERY, parse: parseServiceList };
    const options = { observe: observeList, maxBackoffMs: LIST_MAX_BACKOFF_MS, renewal };
    for await (const answer of blockingQuery(transport, query, options, signal)) {
      answered = answer;
      hear(list ?? LIST, answer.body, answer);
      services.follow(new Set(byName.keys()), answer.index);
      if (answer.wentBackFrom !== undefined) services.renew('all');
    }
  }

  void followList();
  return {
    follow: (queries) => {
      const listBefore = list;
      byName = new Map(queries.flatMap((query) => (query.source.kind === 'service' ? [[query.source.name, query] as const] : [])));
      list = queries.find(({ source }) => source.kind === 'services');
      services.follow(new Set(byName.keys()), answered?.index ?? 0);
      if (list !== undefined && listBefore?.id !== list.id && answered !== undefined) hear(list, answered.body, UNDOUBTED);
    },
    renew: () => {
      renewal.renew();
      services.renew('all');
    },
  };
}

/** Stands for the list while no template asks for it; its answers are heard all the same, and show whether the catalog is empty. */
const LIST: Query = { id: 'catalog', source: { kind: 'services', dc: '' }, view: () => undefined };
