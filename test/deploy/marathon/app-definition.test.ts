import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readAppDefinition } from '../../../deploy/marathon/app-definition.ts';
import { expandJson, missingNames } from '../../../deploy/marathon/macros.ts';
import { PROJECT_FOLDER } from '../../harness/program.ts';

test.each([
  ['{"a": "%%V%%"}', { V: '1.2' }, { a: '1.2' }],
  ['{"a": "x-%%V%%-%%W%%"}', { V: '1', W: '2' }, { a: 'x-1-2' }],
  ['{"a": %%V%%}', { V: '3' }, { a: 3 }],
  ['{"a": %%V%%}', { V: 'true' }, { a: true }],
  ['{"a": %%V%%}', { V: 'text' }, { a: 'text' }],
  ['{"a": "%%V%%"}', { V: '", "b": "' }, { a: '", "b": "' }],
  ['{"a": %%V%%}', { V: '1, "b": 2' }, { a: '1, "b": 2' }],
  ['{"a": "100%% of %"}', {}, { a: '100%% of %' }],
])('macros of %s with %j', (text, env, expected) => {
  const expanded = expandJson(text, env);

  expect(expanded.kind === 'text' && JSON.parse(expanded.text)).toEqual(expected);
});

test('names that the environment does not have are told, each once', () => {
  expect(missingNames('%%A%% %%B%% %%A%% %%C%%', { B: '' })).toEqual(['A', 'C']);
});

const good = '{"id": "web", "instances": 2, "container": {"type": "DOCKER", "docker": {"image": "web:1"}}}';

test('an app in JSON and the same in YAML', () => {
  const yaml = 'id: web\ninstances: 2\ncontainer:\n  type: DOCKER\n  docker: { image: "web:%%VERSION%%" }\n';
  const app = { id: '/web', instances: 2, container: { type: 'DOCKER', docker: { image: 'web:1' } } };

  expect(readAppDefinition('app.json', good, {})).toEqual({ kind: 'app', app });
  expect(readAppDefinition('app.yaml', yaml, { VERSION: '1' })).toEqual({ kind: 'app', app });
});

test.each([
  ['{"id": "Web"}', [/^app\.json: id: must be a path of small letters/]],
  ['{"id": "/web", "instance": 1}', [/^app\.json: unknown key "instance" \(did you mean instances\?\)/]],
  [
    '{"id": "/web", "mem": "32", "container": {"docker": {"image": "", "portMappings": [{"containerPort": 70000}]}}}',
    [/mem: .*number/, /container\.docker\.image: /, /container\.docker\.portMappings\[1\]\.containerPort: /],
  ],
  ['{"id": "/web", "upgradeStrategy": {"minimumHealthCapacity": 2}}', [/upgradeStrategy\.minimumHealthCapacity: /]],
  ['{"id": "/web",}', [/it is no JSON: /]],
  ['{"id": "/web", "cmd": "%%A%% %%B%%"}', [/%%A%%: the environment has no A/, /%%B%%: /]],
])('%s is refused, with the place and the reason', (text, problems) => {
  const read = readAppDefinition('app.json', text, {});

  expect(read).toEqual({ kind: 'wrong', problems: problems.map((problem) => expect.stringMatching(problem)) });
});

test('what is no YAML is refused', () => {
  expect(readAppDefinition('app.yml', 'id: [', {})).toMatchObject({
    kind: 'wrong',
    problems: [expect.stringMatching(/app\.yml: it is no YAML/)],
  });
});

test.each([
  'SimpleWebapp/deploy.json',
  'SimpleWebapp/deploy-canary.json',
  'SmoothWebapp/deploy.json',
  'PathRoute/deploy.json',
  'TcpService/deploy.json',
])('the example %s is as Marathon takes it', async (file) => {
  const text = await readFile(join(PROJECT_FOLDER, 'examples', file), 'utf8');

  expect(readAppDefinition(file, text, {})).toMatchObject({ kind: 'app' });
});
