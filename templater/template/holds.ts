import { createAlarm } from '../../daemon/alarm.ts';
import type { Logger } from '../../daemon/log.ts';
import type { Query } from './query.ts';

/** A change that is withheld as implausible, as /status shows it. */
export interface Hold {
  /** The query. */
  readonly subject: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly since: string;
  readonly until: string;
}

export interface Holds {
  readonly has: (id: string) => boolean;
  /** Withholds a view, instead of the one that is withheld already; the time goes on. */
  readonly hold: (query: Query, view: unknown, reason: string) => void;
  readonly over: (id: string) => void;
  readonly list: () => readonly Hold[];
  /** Believes what is withheld of one query or service, or all; answers the queries. */
  readonly release: (subject?: string) => readonly string[];
}

interface Ports {
  /** Called with what was withheld when its time is over. */
  readonly believe: (query: Query, view: unknown) => void;
  readonly holdMs: number;
  readonly log: Logger;
  readonly now: () => number;
}

export function createHolds({ believe, holdMs, log, now }: Ports, signal: AbortSignal): Holds {
  const held = new Map<string, { readonly query: Query; readonly view: unknown; readonly reason: string; readonly since: number }>();
  const alarm = createAlarm(() => end((since) => since + holdMs <= now()));
  signal.addEventListener('abort', alarm.off);

  function end(isOver: (since: number, id: string) => boolean): void {
    for (const [id, { query, view, since }] of held) {
      if (!isOver(since, id)) continue;
      held.delete(id);
      log.warn({ query: id }, 'hold is over, the change counts');
      believe(query, view);
    }
    wakeForNext();
  }

  function wakeForNext(): void {
    const first = Math.min(...[...held.values()].map(({ since }) => since));
    if (held.size > 0) alarm.in(Math.max(0, first + holdMs - now()), 'a hold is over');
  }

  return {
    has: (id) => held.has(id),
    hold: (query, view, reason) => {
      const before = held.get(query.id);
      if (before === undefined) log.warn({ query: query.id, reason, holdMs }, 'change is withheld');
      held.set(query.id, { query, view, reason: before?.reason ?? reason, since: before?.since ?? now() });
      wakeForNext();
    },
    over: (id) => {
      if (held.delete(id)) log.info({ query: id }, 'hold is over, the change has gone');
    },
    list: () =>
      [...held].map(([subject, { reason, since }]) => ({
        subject,
        reason,
        since: new Date(since).toISOString(),
        until: new Date(since + holdMs).toISOString(),
      })),
    release: (subject) => {
      const released = [...held.keys()].filter((id) => subject === undefined || id === subject || id === `service ${subject}`);
      end((_, id) => released.includes(id));
      return released;
    },
  };
}
