import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { buildExampleImage } from '../../deploy/demo/example-containers.ts';
import { docker } from '../harness/docker.ts';
import { startMarathonDouble } from '../harness/marathon-double.ts';
import { PROJECT_FOLDER, startToots } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';

const example = (file: string) => join(PROJECT_FOLDER, 'examples', file);
const instancesOf = async (app: string) =>
  (await docker('ps', '-q', '--filter', 'label=toots.test', '--format', '{{.ID}}'))
    .split('\n')
    .filter((id) => id !== '')
    .map((id) => docker('inspect', '-f', '{{json .Config.Env}}', id))
    .reduce(async (count, env) => (await count) + ((await env).includes(`MARATHON_APP_ID=${app}"`) ? 1 : 0), Promise.resolve(0));

async function deploy(args: readonly string[], env: Readonly<Record<string, string>>) {
  await using toots = await startToots(['marathon', 'deploy', ...args], { env });
  const code = await toots.ended;
  return { code, output: toots.output() };
}

test('the examples are deployed one after the other, and run', async () => {
  await buildExampleImage(PROJECT_FOLDER, new AbortController().signal);
  await using marathon = await startMarathonDouble({ credentials: 'ann:secret' });
  const env = { MARATHON_URL: marathon.url, MARATHON_CREDENTIALS: 'ann:secret' };

  const { code, output } = await deploy([example('SimpleWebapp/deploy.json'), example('SmoothWebapp/deploy.json')], env);

  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('/python-smooth: 2 of 2 run, 2 healthy') });
  expect(await instancesOf('/python-smooth')).toBe(2);
  expect(await instancesOf('/python-stable')).toBe(1);
}, 180_000);

test('an app that does not run in time goes back to what was before', async () => {
  await buildExampleImage(PROJECT_FOLDER, new AbortController().signal);
  await using marathon = await startMarathonDouble();
  await using folder = await tempDir();
  const file = join(folder.path, 'app.yaml');
  await writeFile(
    file,
    'id: /rolled\ninstances: 1\ncontainer: { type: DOCKER, docker: { image: "%%IMAGE%%", portMappings: [{ containerPort: 80, hostPort: 0 }] } }\n',
  );
  const env = { MARATHON_URL: marathon.url };
  expect(await deploy([file, '-wait', '60s'], { ...env, IMAGE: 'toots-example' })).toMatchObject({ code: 0 });

  const { code, output } = await deploy([file, '-rollback', '-wait', '2s'], { ...env, IMAGE: 'localhost:1/not-there' });

  expect(code).toBe(1);
  expect(output).toMatch(/deploy: \/rolled: it goes on after 2\.0 s; .*not-there.*It is as before again/s);
  expect(marathon.requests.filter((request) => request.startsWith('DELETE'))).toHaveLength(1);
  expect(await instancesOf('/rolled')).toBe(1);
}, 180_000);

test('nothing is deployed while anything is wrong, and what Marathon refuses is told', async () => {
  await using marathon = await startMarathonDouble({ credentials: 'ann:secret' });
  await using folder = await tempDir();
  const bad = join(folder.path, 'bad.json');
  await writeFile(bad, '{"id": "/x", "instance": 2, "cmd": 1}');
  const env = { MARATHON_URL: marathon.url };

  const wrong = await deploy([example('SimpleWebapp/deploy.json'), bad], env);
  expect(wrong).toMatchObject({ code: 2, output: expect.stringMatching(/bad\.json: cmd: .*\n.*bad\.json: unknown key "instance"/) });
  expect(marathon.requests).toEqual([]);

  const refused = await deploy([example('SimpleWebapp/deploy.json')], env);
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('401') });
}, 180_000);
