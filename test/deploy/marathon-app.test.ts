import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { dockerRunArguments, readMarathonApp } from '../../deploy/marathon-app.ts';
import { tempDir } from '../harness/temp-dir.ts';

test('an instance is run as Marathon would: its env, the app it belongs to, its ports', () => {
  const app = {
    id: '/shop/web',
    instances: 1,
    args: ['serve', '--fast'],
    env: { SERVICE_NAME: 'web', SERVICE_TAGS: 'haproxy,weight=1' },
    container: {
      docker: {
        image: 'shop',
        portMappings: [
          { containerPort: 80, hostPort: 0, protocol: 'tcp' as const },
          { containerPort: 53, hostPort: 5353, protocol: 'udp' as const },
        ],
      },
    },
  };

  expect(dockerRunArguments(app, { name: 'shop-web', labels: ['a=b'] }).join(' ')).toBe(
    'run --detach --name shop-web --label a=b --env SERVICE_NAME=web --env SERVICE_TAGS=haproxy,weight=1 --env MARATHON_APP_ID=/shop/web ' +
      '--publish 0.0.0.0::80/tcp --publish 0.0.0.0:5353:53/udp shop serve --fast',
  );
});

test.each([
  ['{', 'JSON'],
  ['{"container": {"docker": {"image": "x"}}}', 'id: '],
  ['{"id": "/x", "container": {"docker": {}}}', 'container.docker.image'],
  ['{"id": "x; rm", "container": {"docker": {"image": "x"}}}', 'must be a path such as /python-stable'],
])('%s is refused, with its file and what is wrong', async (text, reason) => {
  await using folder = await tempDir();
  const file = join(folder.path, 'app.json');
  await writeFile(file, text);

  await expect(readMarathonApp(file)).rejects.toThrow(file);
  await expect(readMarathonApp(file)).rejects.toThrow(reason);
});
