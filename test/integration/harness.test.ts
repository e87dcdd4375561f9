import { readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { expect, test } from '@jest/globals';
import { startConsul } from '../harness/consul.ts';
import { docker, startContainer } from '../harness/docker.ts';
import { startHaproxy } from '../harness/haproxy.ts';
import { until } from '../harness/until.ts';

test('a Consul that keeps nothing is empty after a restart, one that keeps its data is not', async () => {
  await using forgetful = await startConsul();
  await using faithful = await startConsul({ keepsData: true });
  for (const consul of [forgetful, faithful]) await consul.ask('PUT', '/v1/kv/a', 'kept');

  await Promise.all([forgetful.restart(), faithful.restart()]);

  await expect(forgetful.ask('GET', '/v1/kv/a')).rejects.toThrow('404');
  expect(await faithful.ask('GET', '/v1/kv/a?raw')).toBe('kept');
  await faithful.restart({ wiped: true });
  await expect(faithful.ask('GET', '/v1/kv/a')).rejects.toThrow('404');
}, 60_000);

test('a Consul with https answers there', async () => {
  await using consul = await startConsul({ https: true });

  const ca = await readFile(consul.caFile);
  const answer = new Promise((resolve, reject) => {
    get(`${consul.httpsUrl}/v1/status/leader`, { ca }, (response) => resolve(response.statusCode)).on('error', reject);
  });
  expect(await answer).toBe(200);
}, 30_000);

test('a HAProxy answers on its own socket and on its master’s', async () => {
  await using haproxy = await startHaproxy('backend web\n  server a 127.0.0.1:9 weight 100\n');

  expect(await haproxy.ask('get weight web/a')).toBe('100 (initial 100)');
  expect(await haproxy.askMaster('show proc')).toContain('master');
});

test('a container is served on its published port, and gone afterwards', async () => {
  let id = '';
  {
    await using container = await startContainer({ publish: [80] });
    id = container.id;
    const port = await container.hostPort(80);
    const text = await until(async () => (await fetch(`http://127.0.0.1:${port}/`)).text(), 5_000, 'the container answers');
    expect(text.trim()).toBe(id.slice(0, 12));
  }
  await expect(docker('inspect', id)).rejects.toThrow('No such object');
}, 60_000);
