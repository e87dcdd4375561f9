import { META, type Registered } from '../consul/registration.ts';

/**
 * What is known of an agent's services, by ID and by the container they came from: what was read last, and what was written since.
 * Times are milliseconds of one clock that never goes back.
 */
export interface Mirror {
  /** Whether the agent has been read yet. */
  readonly isRead: () => boolean;
  readonly get: (id: string) => Registered | undefined;
  readonly has: (id: string) => boolean;
  readonly ids: () => Iterable<string>;
  readonly size: () => number;
  readonly idsOfContainer: (containerId: string) => Iterable<string>;
  /** A write to this ID begins: what is being read may not tell it. */
  readonly writing: (id: string, atMs: number) => void;
  /** It was written, or asked for; undefined takes it away. */
  readonly set: (id: string, registered: Registered | undefined, atMs: number) => void;
  /** Whether the agent took the last write is not known: only a reading that begins after this tells. */
  readonly doubt: (id: string, atMs: number) => void;
  readonly isDoubtful: (id: string) => boolean;
  /** Takes over what was read, but for what has been written since that began, or is being written. */
  readonly take: (read: ReadonlyMap<string, Registered>, begunMs: number, isBusy: (id: string) => boolean) => void;
}

export function createMirror(): Mirror {
  const services = new Map<string, Registered>();
  const byContainer = new Map<string, Set<string>>();
  const writtenMs = new Map<string, number>();
  const doubtedMs = new Map<string, number>();
  let isRead = false;

  const put = (id: string, registered: Registered | undefined) => {
    const before = services.get(id)?.meta[META.container];
    const own = byContainer.get(before ?? '');
    own?.delete(id);
    if (before !== undefined && own?.size === 0) byContainer.delete(before);
    services.delete(id);
    if (registered === undefined) return;
    services.set(id, registered);
    const container = registered.meta[META.container];
    if (container !== undefined) byContainer.set(container, (byContainer.get(container) ?? new Set()).add(id));
  };

  return {
    isRead: () => isRead,
    get: (id) => services.get(id),
    has: (id) => services.has(id),
    ids: () => services.keys(),
    size: () => services.size,
    idsOfContainer: (containerId) => byContainer.get(containerId) ?? [],
    writing: (id, atMs) => void writtenMs.set(id, atMs),
    set: (id, registered, atMs) => {
      writtenMs.set(id, atMs);
      put(id, registered);
    },
    doubt: (id, atMs) => void doubtedMs.set(id, atMs),
    isDoubtful: (id) => doubtedMs.has(id),
    take: (read, begunMs, isBusy) => {
      // Nobody writes to what is in doubt, however busy it is said to be.
      const isNewer = (id: string) => (isBusy(id) && !doubtedMs.has(id)) || (writtenMs.get(id) ?? Number.NEGATIVE_INFINITY) >= begunMs;
      for (const id of new Set([...services.keys(), ...read.keys()])) if (!isNewer(id)) put(id, read.get(id));
      for (const [id, atMs] of writtenMs) if (atMs < begunMs && !isBusy(id)) writtenMs.delete(id);
      for (const [id, atMs] of doubtedMs) if (atMs < begunMs) doubtedMs.delete(id);
      isRead = true;
    },
  };
}
