import { get } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { docker, startContainer, type TestContainer } from '../harness/docker.ts';
import { startLoad } from '../harness/load.ts';
import { startPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

/** From a container's start or end until the edge shows it, on a busy machine, milliseconds. */
const BUDGET_MS = 10_000;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startPlatform();
}, 120_000);
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
}, 30_000);

/** Goes on for a second after TERM, as a program does that finishes what it has. */
const SERVE = 'mkdir -p /www; hostname > /www/index.html; trap "sleep 1; exit" TERM; httpd -f -p 80 -h /www & wait';

async function startWeb(service: string, tags: string): Promise<TestContainer> {
  // On IPv4 alone: Docker 20.10 may give the IPv6 side another port, which is an instance of its own.
  return await startContainer({
    publish: ['0.0.0.0::80'],
    env: { SERVICE_NAME: service, SERVICE_TAGS: tags },
    command: ['sh', '-c', SERVE],
  });
}

/** Status and text of a request through the edge. */
async function ask(host: string, path = '/'): Promise<{ readonly status: number; readonly text: string }> {
  return await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: platform.httpPort, path, headers: { host }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: text.trim() }));
    }).on('error', reject);
  });
}

const isServedBy = async (host: string, container: TestContainer) => (await ask(host)).text === container.id.slice(0, 12);

test('a container that starts is served, by its host name and by DNS; when it stops it is gone', async () => {
  await using container = await startWeb('e2e-web', 'haproxy');

  await until(() => isServedBy('e2e-web.service.consul', container), BUDGET_MS, 'the container is served');
  const { stdout } = await execa('dig', ['+short', '-p', `${platform.consul.dnsPort}`, '@127.0.0.1', 'e2e-web.service.consul', 'SRV']);
  expect(stdout).toMatch(new RegExp(`^1 100 ${await container.hostPort(80)} `));

  await docker('stop', container.id);

  await until(async () => (await ask('e2e-web.service.consul')).status === 503, BUDGET_MS, 'the container is gone');
  expect(await platform.consul.ask('GET', '/v1/catalog/service/e2e-web')).toEqual([]);
}, 60_000);

test('a container that is restarted twenty times is served at the end, on the port it has then', async () => {
  await using container = await startWeb('e2e-restart', 'haproxy,haproxy_route=/e2e-restart');
  await until(() => isServedBy('e2e-restart.service.consul', container), BUDGET_MS, 'the container is served');

  for (let i = 0; i < 20; i += 1) await docker('restart', '-t', '0', container.id);

  await until(() => isServedBy('e2e-restart.service.consul', container), BUDGET_MS, 'the container is served again');
  const ports = (await platform.consul.ask('GET', '/v1/catalog/service/e2e-restart')) as readonly { readonly ServicePort: number }[];
  expect(ports.map(({ ServicePort }) => ServicePort)).toEqual([await container.hostPort(80)]);
}, 120_000);

test('while one of two containers is stopped and another one started, no request fails', async () => {
  await using stays = await startWeb('e2e-smooth', 'haproxy');
  await using goes = await startWeb('e2e-smooth', 'haproxy');
  for (const container of [stays, goes])
    await until(() => isServedBy('e2e-smooth.service.consul', container), BUDGET_MS, 'both are served');
  await using load = startLoad({ port: platform.httpPort, host: 'e2e-smooth.service.consul', clients: 4, pauseMs: 2 });
  await until(() => load.report().requests > 50, BUDGET_MS, 'requests flow');

  await docker('stop', goes.id);
  await using comes = await startWeb('e2e-smooth', 'haproxy');
  await until(() => isServedBy('e2e-smooth.service.consul', comes), BUDGET_MS, 'the new one is served');

  expect((await load.stop()).failures).toEqual({});
}, 60_000);
