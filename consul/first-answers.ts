import { type AnswerTrust, askNow, type BlockingAnswer } from './blocking-query.ts';
import { CATALOG_QUERY } from './catalog-update.ts';
import type { ServiceAnswer } from './gathered-catalog.ts';
import { joinedHealth } from './joined-health.ts';
import type { NodeInstances } from './node-instances.ts';
import type { ConsulTransport } from './transport.ts';

const CHECKS_QUERY = '/v1/health/state/any';

/** Tables that were read one after the other, the instances last. */
export interface ReadTables {
  /** The index of the list of services, which moves with every instance. */
  readonly listIndex: number;
  /** All checks, as they were answered. */
  readonly checks: BlockingAnswer<unknown>;
  readonly nodes: NodeInstances['answers'];
}

/**
 * What each service would answer, without asking for it; undefined when the tables may not fit together. They do when neither the list's index
 * nor that of the checks has moved since: then no instance and no check came, went or differed while the tables were read. An answer
 * without a leader, or one that hides something from our token, is for the services themselves to tell.
 * @throws Error when Consul cannot be asked.
 */
export async function answersFromTables(
  transport: ConsulTransport,
  { listIndex, checks, nodes }: ReadTables,
  signal: AbortSignal,
): Promise<((name: string) => ServiceAnswer) | undefined> {
  // A filter that no check passes: the index is that of all checks, the answer empty.
  const nothing = { filter: 'Node == ""' };
  const [listNow, checksNow] = await Promise.all([
    askNow(transport, { path: CATALOG_QUERY, parse: () => undefined }, signal),
    askNow(transport, { path: CHECKS_QUERY, query: nothing, parse: () => undefined }, signal),
  ]);
  const isStill = listNow.index === listIndex && checksNow.index === checks.index;
  if (!isStill || ![listNow, checks, ...nodes].every(isWhole)) return undefined;
  const answerOf = joinedHealth(
    checks.body,
    nodes.map(({ json }) => json),
  );
  const index = Math.max(listIndex, checks.index);
  return (name) => ({ body: answerOf(name), index, knownLeader: true, filteredByAcl: false });
}

function isWhole({ knownLeader, filteredByAcl }: AnswerTrust): boolean {
  return knownLeader && !filteredByAcl;
}
