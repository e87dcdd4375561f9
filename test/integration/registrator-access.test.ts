import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { execa } from 'execa';
import { VERSION } from '../../daemon/version.ts';
import { agentView } from '../harness/agent-view.ts';
import { startConsul, type TestConsul } from '../harness/consul.ts';
import { startContainer } from '../harness/docker.ts';
import { startDockerDouble } from '../harness/docker-double.ts';
import { freePorts } from '../harness/free-port.ts';
import { startHttpProxy } from '../harness/http-proxy.ts';
import { PROJECT_FOLDER, startProgram } from '../harness/program.ts';
import { DOCKER, ID_HOST, startRegistrator } from '../harness/registrator.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

const SOON = 10_000;
const ENGINE = { socketPath: DOCKER.replace('unix://', '') };
const OBEDIENT = ['sh', '-c', 'trap exit TERM; while :; do sleep 1 & wait; done'];

/** A container on the network of the host with one service. */
const quick = (service: string) => startContainer({ run: ['--network', 'host'], env: { SERVICE_9200_NAME: service }, command: OBEDIENT });
const idOf = ({ name }: { name: string }) => `${ID_HOST}:${name}:9200`;
const is = (consul: TestConsul, id: string, status: string) =>
  until(async () => (await agentView(consul).statusOf(id)) === status, SOON, `${id} is ${status}`);

/** An agent that refuses what no token allows; who has no token may do everything, which is how the test looks at it. */
const guarded = () =>
  startConsul({ config: { acl: { enabled: true, default_policy: 'deny', tokens: { master: 'root', default: 'root' } } } });

async function tokenWith(consul: TestConsul, name: string, rules: string): Promise<string> {
  const created = async (path: string, body: object) =>
    (await until(() => consul.ask('PUT', path, body), SOON, `${path} answers`)) as {
      ID: string;
      SecretID: string;
    };
  const policy = await created('/v1/acl/policy', { Name: name, Rules: rules });
  return (await created('/v1/acl/token', { Policies: [{ ID: policy.ID }] })).SecretID;
}

test('the policy we ship is enough; a token without rights is a degraded registrator, not a dead one, and a new one in its file is taken', async () => {
  await using consul = await guarded();
  await using folder = await tempDir();
  const file = join(folder.path, 'token');
  await writeFile(file, await tokenWith(consul, 'nothing', 'key "x" { policy = "read" }'));
  await using container = await quick('acl');
  await using registrator = await startRegistrator({ consul, env: { CONSUL_HTTP_TOKEN_FILE: file }, isImpatient: true });
  await until(async () => /403|Permission denied/.test((await registrator.status()).consul.why ?? ''), SOON, 'it says that it is refused');
  expect(await registrator.isReady()).toBe(false);

  const shipped = await readFile(join(PROJECT_FOLDER, 'registrator/consul-policy.hcl'), 'utf8');
  await writeFile(`${file}.new`, await tokenWith(consul, 'shipped', shipped));
  await rename(`${file}.new`, file);

  await is(consul, idOf(container), 'passing');
  await until(() => registrator.isReady(), SOON, 'it is ready');
}, 90_000);

test('a token for some services: those are registered, the others are problems that say what is missing', async () => {
  await using consul = await guarded();
  const token = await tokenWith(consul, 'some', 'agent_prefix "" { policy = "read" } service_prefix "may-" { policy = "write" }');
  await using allowed = await quick('may-go');
  await using refused = await quick('stays-out');
  await using registrator = await startRegistrator({ consul, args: ['-consul-token', token], isImpatient: true });

  await is(consul, idOf(allowed), 'passing');
  const problem = await until(
    async () => (await registrator.status()).problems.find(({ value }) => value === idOf(refused)),
    SOON,
    'the other is a problem',
  );

  expect(problem).toMatchObject({ subject: 'stays-out', reason: expect.stringContaining('service:write') });
}, 90_000);

test('consul-tls:// with a certificate of its own, which the agent demands', async () => {
  await using consul = await startConsul({ https: true, config: { verify_incoming_https: true } });
  const folder = dirname(consul.caFile);
  await execa('consul', ['tls', 'cert', 'create', '-client'], { cwd: folder });
  const env = {
    CONSUL_CACERT: consul.caFile,
    CONSUL_CLIENT_CERT: join(folder, 'dc1-client-consul-0.pem'),
    CONSUL_CLIENT_KEY: join(folder, 'dc1-client-consul-0-key.pem'),
  };
  const registry = consul.httpsUrl.replace('https://', 'consul-tls://');
  await using container = await quick('tls');

  await using bare = await startRegistrator({ consul: registry, env: { CONSUL_CACERT: consul.caFile }, isImpatient: true });
  await until(
    async () => /certificate|alert|socket|ECONNRESET/i.test((await bare.status()).consul.why ?? ''),
    SOON,
    'it says that it was not let in',
  );
  await bare.program.stop();
  await using _ = await startRegistrator({ consul: registry, env });

  await is(consul, idOf(container), 'passing');
}, 90_000);

test('CONSUL_HTTP_SSL and CONSUL_HTTP_AUTH: an agent that speaks HTTPS, and one behind a password', async () => {
  await using consul = await startConsul({ https: true });
  await using docker = await startDockerDouble();
  docker.put('a', { name: 'web' });
  const authorization = `Basic ${Buffer.from('joe:secret').toString('base64')}`;
  await using proxy = await startHttpProxy(
    { port: consul.httpPort },
    { refuse: ({ headers }) => (headers.authorization === authorization ? undefined : 401) },
  );
  const registry = (port: string | number) => ({ docker: docker.url, consul: `consul://127.0.0.1:${port}` });

  await using _ = await startRegistrator({
    ...registry(new URL(consul.httpsUrl).port),
    args: ['--hostname', 'by-tls'],
    env: { CONSUL_HTTP_SSL: 'true', CONSUL_CACERT: consul.caFile },
  });
  await using __ = await startRegistrator({
    ...registry(proxy.port),
    owner: 'other',
    args: ['--hostname', 'by-password'],
    env: { CONSUL_HTTP_AUTH: 'joe:secret' },
  });

  await is(consul, 'by-tls:web:80', 'passing');
  await is(consul, 'by-password:web:80', 'passing');
}, 60_000);

test('--version', async () => {
  const { stdout } = await execa(join(PROJECT_FOLDER, 'toots.sh'), ['registrator', '--version'], { stdin: 'ignore' });

  expect(stdout).toBe(VERSION);
}, 30_000);

test('a wrong usage ends with 2, names every problem, and says where to look', async () => {
  const wrong = execa(join(PROJECT_FOLDER, 'toots.sh'), ['registrator', '-ip', '999.1.1.1', '-resync', 'soon'], { stdin: 'ignore' });

  await expect(wrong).rejects.toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/-ip: .*999\.1\.1\.1[\s\S]*-resync: [\s\S]*Try toots registrator -help\./),
  });
}, 30_000);

test('consul-unix://', async () => {
  await using folder = await tempDir();
  const socket = join(folder.path, 'consul.sock');
  await using consul = await startConsul({ config: { addresses: { http: `127.0.0.1 unix://${socket}` } } });
  await using container = await quick('unix');

  await using _ = await startRegistrator({ consul: `consul-unix://${socket}` });

  await is(consul, idOf(container), 'passing');
}, 60_000);

test('without privileges, through a proxy that lets nothing but GET pass', async () => {
  await using folder = await tempDir();
  const socketPath = join(folder.path, 'docker.sock');
  await execa('chmod', ['755', folder.path]);
  await using proxy = await startHttpProxy(ENGINE, { socketPath, refuse: ({ method }) => (method === 'GET' ? undefined : 403) });
  await using consul = await startConsul();
  await using container = await quick('humble');
  const [port = 0] = await freePorts(1);
  const words = [
    '--reuid',
    '65534',
    '--regid',
    '65534',
    '--clear-groups',
    process.execPath,
    join(PROJECT_FOLDER, 'dist/programs/registrator.cjs'),
  ];

  await using program = await startProgram('setpriv', [
    ...words,
    '--docker',
    `unix://${socketPath}`,
    '--api',
    `127.0.0.1:${port}`,
    `consul://127.0.0.1:${consul.httpPort}`,
  ]);

  await is(consul, idOf(container), 'passing').catch((error: unknown) => {
    throw new Error(`${String(error)}\n${program.output()}`, { cause: error });
  });
  expect(proxy.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
}, 60_000);

test('an engine behind TLS, told by the environment of Docker', async () => {
  await using consul = await startConsul({ https: true });
  await using folder = await tempDir();
  const certificates = dirname(consul.caFile);
  await execa('consul', ['tls', 'cert', 'create', '-client'], { cwd: certificates });
  const from = { 'ca.pem': 'consul-agent-ca.pem', 'cert.pem': 'dc1-client-consul-0.pem', 'key.pem': 'dc1-client-consul-0-key.pem' };
  for (const [to, name] of Object.entries(from)) await copyFile(join(certificates, name), join(folder.path, to));
  const [ca, cert, key] = await Promise.all(
    ['consul-agent-ca.pem', 'dc1-server-consul-0.pem', 'dc1-server-consul-0-key.pem'].map((name) => readFile(join(certificates, name))),
  );
  const server = createHttpsServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (incoming, answer) => {
    const passed = request({ ...ENGINE, method: incoming.method, path: incoming.url, headers: incoming.headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers).flushHeaders();
      response.pipe(answer);
    });
    answer.on('close', () => passed.destroy());
    incoming.pipe(passed.on('error', () => answer.destroy()));
  });
  const [port = 0] = await freePorts(1);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    await using container = await quick('secure');
    await using _ = await startRegistrator({
      consul,
      docker: `tcp://127.0.0.1:${port}`,
      env: { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder.path },
    });

    await is(consul, idOf(container), 'passing');
  } finally {
    server.closeAllConnections();
    server.close();
  }
}, 60_000);
