import { askNow, type BlockingAnswer, type BlockingQuery, blockingQuery, type QueryState } from '../../../consul/blocking-query.ts';
import { encodedKeyPath, type KeyValue, parseKeyValues } from '../../../consul/key-values.ts';
import { sleep } from '../../../daemon/sleep.ts';
import type { Query } from '../query.ts';
import { type Evidence, type FeedPorts, type HeldFeed, UNDOUBTED } from './heard.ts';
import { oneEach } from './one-each.ts';

/** A blocking query of the KV store, and the keys that are read from its answers. */
interface Group {
  /** A key, or a folder with its slash. */
  readonly path: string;
  readonly members: Query[];
  latest?: { readonly pairs: ReadonlyMap<string, KeyValue>; readonly evidence: Evidence };
}

/** How a key is reached: by itself, or with all that lies in its first folder. */
export type KeyWay = 'each' | 'folders';

/** Keys of one datacenter: one query each while they are few, else one for each first folder. */
export function createKeysFeed({ transport, hear, observe }: FeedPorts, most: () => number, signal: AbortSignal): HeldFeed {
  const groups = new Map<string, Group>();

  function tell(group: Group, members: readonly Query[]): void {
    if (group.latest === undefined) return;
    for (const member of members) hear(member, group.latest.pairs.get(keyOf(member)), group.latest.evidence);
  }

  function heard(group: Group, { body, ...evidence }: BlockingAnswer<ReadonlyMap<string, KeyValue>>): void {
    group.latest = { pairs: body, evidence };
    tell(group, group.members);
  }

  const held = oneEach<Group>(async (group, end, renewal) => {
    const tellState = (state: QueryState) => {
      for (const member of group.members) observe(member, state);
    };
    for await (const answer of blockingQuery(transport, groupQuery(group), { observe: tellState, renewal }, end)) heard(group, answer);
  }, signal);

  /** Folders that are too many to be held are asked every now and then. */
  const polled = oneEach<Group>(async (group, end) => {
    for (let failures = 0; !end.aborted; await sleep(POLL_EVERY_MS, end)) {
      try {
        heard(group, await askNow(transport, groupQuery(group), end));
        failures = 0;
      } catch (error) {
        if (end.aborted) return;
        failures++;
        const state = {
          kind: 'failing',
          since: Date.now(),
          failures,
          error: error instanceof Error ? error : new Error(String(error)),
        } as const;
        for (const member of group.members) observe(member, state);
      }
    }
  }, signal);

  return {
    follow: (queries) => {
      const wanted = groupKeys(queries, most());
      for (const path of groups.keys()) if (!wanted.has(path)) groups.delete(path);
      for (const [path, members] of wanted) {
        const group = groups.get(path) ?? { path, members: [] };
        groups.set(path, group);
        const known = new Set(group.members.map(({ id }) => id));
        const added = members.filter(({ id }) => !known.has(id));
        group.members.splice(0, group.members.length, ...members);
        if (group.latest !== undefined) group.latest = { ...group.latest, evidence: UNDOUBTED };
        tell(group, added);
      }
      const bySize = [...groups].sort(([, a], [, b]) => b.members.length - a.members.length);
      held.follow(new Map(bySize.slice(0, most())));
      polled.follow(new Map(bySize.slice(most())));
    },
    renew: held.renew,
  };
}

const POLL_EVERY_MS = 5_000;

function groupQuery({ path }: Group): BlockingQuery<ReadonlyMap<string, KeyValue>> {
  return {
    path: `/v1/kv/${encodedKeyPath(path)}`,
    query: path.endsWith('/') ? { recurse: 'true' } : {},
    parse: (json) => new Map(parseKeyValues(json).map((pair) => [pair.path, pair])),
  };
}

/** Queries by the path that answers them: their own when there are at most `most`, else their first folder. Pure. */
function groupKeys(queries: readonly Query[], most: number): ReadonlyMap<string, readonly Query[]> {
  const way: KeyWay = queries.length <= most ? 'each' : 'folders';
  const groups = new Map<string, Query[]>();
  for (const query of queries) {
    const key = keyOf(query);
    const slash = key.indexOf('/');
    const path = way === 'each' || slash === -1 ? key : key.slice(0, slash + 1);
    groups.set(path, [...(groups.get(path) ?? []), query]);
  }
  return groups;
}

function keyOf({ source }: Query): string {
  return source.kind === 'key' ? source.path : '';
}
