import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { readConfiguration } from '../../templater/template/config-file.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { loadData, putKey } from '../harness/consul-data.ts';
import { freePort } from '../harness/free-port.ts';
import { PROJECT_FOLDER, startToots } from '../harness/program.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { startEngine } from '../harness/template-engine.ts';
import { until } from '../harness/until.ts';

const EXAMPLES = join(PROJECT_FOLDER, 'examples/templates');
let consul: TestConsul;
let folder: Awaited<ReturnType<typeof tempDir>>;
beforeAll(async () => {
  consul = await startConsul();
  folder = await tempDir();
  await cp(EXAMPLES, folder.path, { recursive: true });
  await loadData(consul, JSON.parse(await readFile(join(PROJECT_FOLDER, 'test/fixtures/templates/data/shop.json'), 'utf8')));
  await putKey(consul, 'app/db/host', 'db.internal');
}, 30_000);
afterAll(async () => {
  await consul?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** Renders a configuration of the examples to a file of the test's own. */
async function render(name: string): Promise<string> {
  const { templates, problems } = readConfiguration([join(EXAMPLES, name)], EXAMPLES);
  expect(problems).toEqual([]);
  const destination = join(folder.path, `${name}.out`);
  await using running = startEngine(
    consul.url,
    templates.map((template) => ({ ...template, destination, action: undefined, wait: undefined })),
  );
  await running.engine.allDone(AbortSignal.timeout(8_000));
  expect(running.problems()).toEqual([]);
  return await readFile(destination, 'utf8');
}

test('the HAProxy example is a configuration that HAProxy takes', async () => {
  const text = await render('haproxy.yaml');

  expect(text).toContain('acl is_web path -m beg /shop/\n');
  expect(text).toContain('acl is_web hdr(host) -i web.service.dc1.consul\n');
  expect(text).toContain('server app-1_web-1 10.0.1.1:8080 weight 90 maxconn 200 check\n');
  expect(text).toContain('listen redis_6379\n');
  await execa('haproxy', ['-c', '-f', join(folder.path, 'haproxy.yaml.out')]);
});

test('the nginx example has an upstream for each service', async () => {
  const text = await render('nginx.yaml');

  expect(text).toContain(
    'upstream web {\n    least_conn;\n    server 10.0.1.1:8080 weight=90; # app-1\n    server 192.168.7.2:8080 weight=10; # app-2\n}',
  );
  expect(text).toContain('server_name web.service.consul;');
});

test('the dnsmasq example names nodes and instances', async () => {
  const text = await render('dnsmasq.yaml');

  expect(text).toContain('10.0.1.1 app-1 app-1.node.consul\n');
  expect(text).toContain('192.168.7.2 web.service.consul # web-2\n');
});

test('the properties example supervises its application', async () => {
  const args = ['templater', '-consul-addr', consul.url, '-api', `127.0.0.1:${await freePort()}`, '-config', 'properties.yaml'];
  await using program = await startToots(args, { cwd: folder.path });
  await until(() => program.output().includes('app: 1 properties'), 15_000, 'the application has started');

  await putKey(consul, 'app/db/port', '5432');
  await until(() => program.output().includes('app: 2 properties'), 15_000, 'the application was told');
  expect(await readFile(join(folder.path, 'app.properties'), 'utf8')).toContain('db.host=db.internal\ndb.port=5432\n');
}, 40_000);
