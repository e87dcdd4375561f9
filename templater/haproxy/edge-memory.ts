import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import type { Catalog } from '../../model/catalog.ts';
import { BALANCES } from '../../model/edge.ts';
import { hostPattern } from '../../model/host-pattern.ts';
import type { Instance } from '../../model/instance.ts';
import type { IpNetwork } from '../../model/ip-network.ts';
import { pathPrefix } from '../../model/path-prefix.ts';
import type { LastGood } from '../../model/plan-edge.ts';
import { replaceFile, SECRET_FILE_MODE } from './config-files.ts';

/** What outlives the program: what was last believed of the catalog, and the rules that services last had without a fault. */
export interface EdgeMemory {
  readonly catalog: Catalog;
  readonly lastGood: LastGood;
}

const instance = z.object({
  service: z.string(),
  id: z.string(),
  node: z.string(),
  address: z.string(),
  port: z.number(),
  tags: z.array(z.string()),
  meta: z.record(z.string(), z.string()),
  health: z.enum(['passing', 'warning', 'critical', 'maintenance']),
  nodeLost: z.boolean(),
});

/** An earlier version knew fewer options: those that it did not write are not set. */
const rules = z.object({
  http: z.boolean(),
  vhosts: z.array(z.string().transform(hostPattern)).default([]),
  routes: z.array(z.string().transform(pathPrefix)),
  ports: z.array(z.number()),
  balance: z.enum(BALANCES),
  check: z
    .object({ method: z.enum(['GET', 'HEAD', 'OPTIONS']), path: z.string() })
    .optional()
    .transform((check) => check),
  redirect: z.literal('https').optional(),
  sticky: z.enum(['instance', 'variant']).optional(),
  priority: z.number().default(0),
  stripped: z.array(z.string().transform(pathPrefix)).default([]),
  users: z.array(z.object({ name: z.string(), hash: z.string() })).optional(),
  networks: z.array(z.string().transform((text) => text as IpNetwork)).optional(),
});

const memory = z.object({
  services: z.array(z.tuple([z.string(), z.array(instance)])),
  datacenters: z.array(z.string()),
  keys: z.array(z.tuple([z.string(), z.string()])),
  lastGood: z.array(z.tuple([z.string(), rules])),
});

/** @throws OperationError when the file cannot be written. */
export function writeMemory(path: string, { catalog, lastGood }: EdgeMemory): Promise<void> {
  const { services, datacenters, keys } = catalog;
  const lists = [...services].map(([name, instances]) => `[${JSON.stringify(name)},${jsonOf(instances)}]`);
  const rest = JSON.stringify({ datacenters, keys: [...keys], lastGood: [...lastGood] });
  return replaceFile(path, `{"services":[${lists.join(',')}],${rest.slice(1)}`, SECRET_FILE_MODE);
}

/** The JSON of a list that is the same object as before is not made anew. */
function jsonOf(instances: readonly Instance[]): string {
  const text = texts.get(instances) ?? JSON.stringify(instances);
  texts.set(instances, text);
  return text;
}

const texts = new WeakMap<readonly Instance[], string>();

/** Undefined when there is none. @throws OperationError when there is one that cannot be read. */
export async function readMemory(path: string): Promise<EdgeMemory | undefined> {
  try {
    const { services, datacenters, keys, lastGood } = memory.parse(JSON.parse(await readFile(path, 'utf8')));
    return {
      catalog: { services: new Map(services), datacenters, keys: new Map(keys) },
      lastGood: new Map(
        lastGood.map(([name, { check, redirect, sticky, users, networks, ...rest }]) => [
          name,
          { ...rest, check, redirect, sticky, users, networks },
        ]),
      ),
    };
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined;
    throw new OperationError('read the last catalog', { subject: path, cause, hint: 'it cannot be read and is not used' });
  }
}
