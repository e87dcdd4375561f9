import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { mapOf } from '../../daemon/fields.ts';
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

const instance = v.object({
  service: v.string(),
  id: v.string(),
  node: v.string(),
  address: v.string(),
  port: v.number(),
  tags: v.array(v.string()),
  meta: mapOf(v.string()),
  health: v.picklist(['passing', 'warning', 'critical', 'maintenance']),
  nodeLost: v.boolean(),
});

/** An earlier version knew fewer options: those that it did not write are not set. */
const rules = v.object({
  http: v.boolean(),
  vhosts: v.optional(v.array(v.pipe(v.string(), v.transform(hostPattern))), []),
  routes: v.array(v.pipe(v.string(), v.transform(pathPrefix))),
  ports: v.array(v.number()),
  balance: v.picklist(BALANCES),
  check: v.pipe(
    v.optional(v.object({ method: v.picklist(['GET', 'HEAD', 'OPTIONS']), path: v.string() })),
    v.transform((check) => check),
  ),
  redirect: v.optional(v.literal('https')),
  sticky: v.optional(v.picklist(['instance', 'variant'])),
  priority: v.optional(v.number(), 0),
  stripped: v.optional(v.array(v.pipe(v.string(), v.transform(pathPrefix))), []),
  users: v.optional(v.array(v.object({ name: v.string(), hash: v.string() }))),
  networks: v.optional(
    v.array(
      v.pipe(
        v.string(),
        v.transform((text) => text as IpNetwork),
      ),
    ),
  ),
});

const memory = v.object({
  services: v.array(v.tuple([v.string(), v.array(instance)])),
  datacenters: v.array(v.string()),
  keys: v.array(v.tuple([v.string(), v.string()])),
  lastGood: v.array(v.tuple([v.string(), rules])),
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
    const { services, datacenters, keys, lastGood } = v.parse(memory, JSON.parse(await readFile(path, 'utf8')));
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
