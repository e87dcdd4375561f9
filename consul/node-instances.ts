import { type AnswerTrust, askNow } from './blocking-query.ts';
import { type CatalogTable, parseNodeServices } from './catalog-row.ts';
import type { ConsulTransport } from './transport.ts';

/** The instances on nodes, as one table. */
export interface NodeInstances {
  readonly table: CatalogTable;
  /** What `/v1/catalog/node/:node` answered for each, where it is to be kept; it is large. */
  readonly answers: readonly ({ readonly json: unknown } & AnswerTrust)[];
}

/** Nodes that are asked for at once. */
const NODES_AT_ONCE = 8;

/** The instances on all these nodes. @throws Error when one of them cannot be read: a part would look like the rest had gone. */
export async function readNodeInstances(
  transport: ConsulTransport,
  nodes: readonly string[],
  keepsAnswers: boolean,
  signal: AbortSignal,
): Promise<NodeInstances> {
  const table = new Map<string, CatalogTable extends ReadonlyMap<string, infer Row> ? Row : never>();
  const answers: NodeInstances['answers'][number][] = [];
  const rest = nodes[Symbol.iterator]();
  const read = async () => {
    for (const node of rest) {
      const parse = (json: unknown) => ({ json: keepsAnswers ? json : undefined, rows: parseNodeServices(json, node) });
      const { body, ...trust } = await askNow(transport, { path: `/v1/catalog/node/${encodeURIComponent(node)}`, parse }, signal);
      for (const [key, row] of body.rows) table.set(key, row);
      if (keepsAnswers) answers.push({ json: body.json, ...trust });
    }
  };
  await Promise.all(Array.from({ length: NODES_AT_ONCE }, read));
  return { table, answers };
}
