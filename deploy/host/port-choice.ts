import { OperationError } from '../../daemon/operation-error.ts';

/** A port that is wanted, and what will do instead. */
export interface WantedPort<Name extends string> {
  readonly name: Name;
  readonly port: number;
  /** Tried in this order when it is busy; after them whatever is free from {@link ANY_FROM} on. */
  readonly instead: readonly number[];
}

/** Who has a port that was wanted. */
export type PortUse = { readonly kind: 'free' } | { readonly kind: 'taken'; readonly by: string | undefined };

export interface ChosenPorts<Name extends string> {
  readonly ports: Readonly<Record<Name, number>>;
  /** What could not be had, and what it is instead. */
  readonly moved: readonly { readonly name: Name; readonly wanted: number; readonly got: number; readonly by: string | undefined }[];
}

/** Below the ephemeral ports of Linux, above what programs choose by themselves. */
const ANY_FROM = 20_000;
const ANY_TO = 32_767;

/** Gives each its port, or the next best; no two get the same. */
export async function choosePorts<Name extends string>(
  wanted: readonly WantedPort<Name>[],
  look: (port: number) => Promise<PortUse>,
): Promise<ChosenPorts<Name>> {
  const given = new Set<number>();
  const ports: Partial<Record<Name, number>> = {};
  const moved: ChosenPorts<Name>['moved'][number][] = [];
  for (const { name, port, instead } of wanted) {
    const use = await look(port);
    const got = use.kind === 'free' && !given.has(port) ? port : await firstFree(name, instead, given, look);
    given.add(got);
    ports[name] = got;
    if (got !== port) moved.push({ name, wanted: port, got, by: use.kind === 'taken' ? use.by : undefined });
  }
  return { ports: ports as Record<Name, number>, moved };
}

async function firstFree(
  name: string,
  instead: readonly number[],
  given: ReadonlySet<number>,
  look: (port: number) => Promise<PortUse>,
): Promise<number> {
  for (const port of instead) if (!given.has(port) && (await look(port)).kind === 'free') return port;
  for (let port = ANY_FROM; port <= ANY_TO; port += 1) if (!given.has(port) && (await look(port)).kind === 'free') return port;
  throw new OperationError('choose a port', { subject: name, hint: `none is free from ${ANY_FROM} to ${ANY_TO}` });
}
