import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createPlanner } from '../../../model/plan-edge.ts';
import { readMemory, writeMemory } from '../../../templater/haproxy/edge-memory.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { aCatalog, anInstance, POLICY } from '../../model/a-catalog.ts';

const catalog = aCatalog(
  [
    anInstance({
      service: '__proto__',
      tags: ['haproxy', 'haproxy_route=/p/', 'haproxy_tcp=9000', 'haproxy_httpchk=HEAD /up', 'haproxy_redirect=https'],
    }),
    anInstance({ service: 'web', health: 'warning', nodeLost: true, meta: { a: 'b' } }),
  ],
  { keys: new Map([['haproxy/web/maxconn', '5']]) },
);
const { lastGood } = createPlanner()(catalog, POLICY, new Map());

test('what is remembered is what was believed', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'memory.json');

  await writeMemory(file, { catalog, lastGood });

  expect(await readMemory(file)).toEqual({ catalog, lastGood });
});

test('there is no memory at the first start', async () => {
  await using dir = await tempDir();

  expect(await readMemory(join(dir.path, 'memory.json'))).toBeUndefined();
});

test.each([['not JSON'], ['{}'], ['{"services":[["a",[{"id":1}]]],"datacenters":[],"keys":[],"lastGood":[]}']])(
  '%s is no memory, and says so',
  async (text) => {
    await using dir = await tempDir();
    const file = join(dir.path, 'memory.json');
    await writeFile(file, text);

    await expect(readMemory(file)).rejects.toThrow('cannot be read and is not used');
  },
);
