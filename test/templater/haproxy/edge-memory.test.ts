import { stat, writeFile } from 'node:fs/promises';
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
    anInstance({
      service: 'all',
      tags: [
        'haproxy_vhost=a.test,*.b.test',
        'haproxy_strip_prefix=/a',
        'haproxy_sticky',
        'haproxy_priority=5',
        'haproxy_auth=bob:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA',
        'haproxy_allow=::1',
      ],
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

test('it is for its user alone, and what an earlier version did not write is not set', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'memory.json');
  await writeMemory(file, { catalog, lastGood });

  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await writeFile(
    file,
    '{"services":[],"datacenters":[],"keys":[],"lastGood":[["a",{"http":true,"routes":[],"ports":[],"balance":"uri"}]]}',
  );
  expect((await readMemory(file))?.lastGood.get('a')).toMatchObject({ vhosts: [], priority: 0, stripped: [], users: undefined });
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
