import { META, type Registered } from '../consul/registration.ts';

/** What is known of an agent's services, by ID and by the container they came from. */
export interface Mirror {
  readonly get: (id: string) => Registered | undefined;
  readonly has: (id: string) => boolean;
  readonly ids: () => Iterable<string>;
  readonly size: () => number;
  /** Undefined takes it away. */
  readonly set: (id: string, registered: Registered | undefined) => void;
  readonly idsOfContainer: (containerId: string) => Iterable<string>;
}

export function createMirror(all: ReadonlyMap<string, Registered>): Mirror {
  const services = new Map<string, Registered>();
  const byContainer = new Map<string, Set<string>>();
  const unlink = (id: string) => {
    const container = services.get(id)?.meta[META.container];
    const ids = byContainer.get(container ?? '');
    ids?.delete(id);
    if (container !== undefined && ids?.size === 0) byContainer.delete(container);
  };
  const set = (id: string, registered: Registered | undefined) => {
    unlink(id);
    if (registered === undefined) {
      services.delete(id);
      return;
    }
    services.set(id, registered);
    const container = registered.meta[META.container];
    if (container !== undefined) byContainer.set(container, (byContainer.get(container) ?? new Set()).add(id));
  };
  for (const [id, registered] of all) set(id, registered);
  return {
    get: (id) => services.get(id),
    has: (id) => services.has(id),
    ids: () => services.keys(),
    size: () => services.size,
    set,
    idsOfContainer: (containerId) => byContainer.get(containerId) ?? [],
  };
}
