import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { DEMO_PORTS } from '../../../deploy/demo/demo-ports.ts';
import { EXAMPLE_FILES, EXAMPLE_IMAGE, withTcpPort } from '../../../deploy/demo/example-containers.ts';
import { readMarathonApp } from '../../../deploy/marathon-app.ts';
import { PROJECT_FOLDER } from '../../harness/program.ts';

const read = (file: string) => readMarathonApp(join(PROJECT_FOLDER, 'examples', file));

test('the examples are the ones of the original: stable and canary of one service, a path, a TCP port', async () => {
  const apps = await Promise.all(EXAMPLE_FILES.map(read));

  expect(apps.map(({ id, env }) => [id, env['SERVICE_NAME'], env['SERVICE_TAGS']])).toEqual([
    ['/python-stable', 'python', 'haproxy,haproxy_route=/media,weight=100'],
    ['/python-canary', 'python', 'haproxy,haproxy_route=/media,weight=1'],
    ['/minions', 'minions', 'haproxy_route=/minions'],
    ['/greeter', 'greeter', 'haproxy_tcp=7007'],
  ]);
  expect(new Set(apps.map(({ container }) => container.docker.image))).toEqual(new Set([EXAMPLE_IMAGE]));
});

test('the demo starts every Marathon JSON that there is', () => {
  const files = readdirSync(join(PROJECT_FOLDER, 'examples'), { recursive: true }).map(String);

  const forMarathonAlone = 'SmoothWebapp/deploy.json';
  expect(files.filter((file) => file.endsWith('.json')).sort()).toEqual([...EXAMPLE_FILES, forMarathonAlone].sort());
});

test('the env of a container is the JSON’s, but for a TCP port that this machine cannot give', async () => {
  const greeter = await read('TcpService/deploy.json');
  const usual = DEMO_PORTS.find(({ name }) => name === 'tcp')?.port ?? 0;

  expect(withTcpPort(greeter, usual)).toEqual(greeter);
  expect(withTcpPort(greeter, 7070).env['SERVICE_TAGS']).toBe('haproxy_tcp=7070');
});
