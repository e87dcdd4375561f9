import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { type EdgeWorld, startEdgeWorld } from '../harness/edge-world.ts';
import { request as ask } from '../harness/request.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { until } from '../harness/until.ts';

jest.setTimeout(60_000);

let world: EdgeWorld;
let folder: Awaited<ReturnType<typeof tempDir>>;
const certificates = () => join(folder.path, 'certs');

beforeAll(async () => {
  folder = await tempDir();
  await mkdir(certificates());
  await certify('first.test');
  await certify('second.test');
  world = await startEdgeWorld({ args: ['--certs', certificates()] });
  await world.serve('web', 'a', ['haproxy']);
  await world.isAnswered('web.service', 'web/a');
}, 60_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const EC_KEY = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

/**
 * Puts a new self-signed certificate and its key into the folder, with so many more in its chain; answers its serial number as TLS clients tell it.
 */
async function certify(name: string, { days = 300, newKey = EC_KEY, chain = 0 } = {}): Promise<string> {
  const [key, certificate] = [join(folder.path, 'key'), join(folder.path, 'certificate')];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  await execa('openssl', [
    'req',
    '-x509',
    '-newkey',
    ...newKey,
    '-nodes',
    '-days',
    `${days}`,
    '-keyout',
    key,
    '-out',
    certificate,
    ...subject,
  ]);
  const { stdout } = await execa('cat', [certificate, key, ...Array.from({ length: chain }, () => certificate)]);
  await writeFile(join(certificates(), `${name}.pem`), stdout);
  return (await execa('openssl', ['x509', '-in', certificate, '-noout', '-serial'])).stdout.replace('serial=', '');
}

/** The certificate that a client gets which asks for a name. */
function served(name: string): Promise<{ name: string; serial: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: world.edge.bind, port: world.edge.ports.https, servername: name, rejectUnauthorized: false }, () => {
      const { subject, serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      resolve({ name: String(subject.CN), serial: serialNumber });
    });
    socket.once('error', reject);
  });
}

function overHttps(host: string, path: string): Promise<{ status: number | undefined; text: string; cookie: string | undefined }> {
  return new Promise((resolve, reject) => {
    const { bind, ports } = world.edge;
    const outgoing = request(
      { host: bind, port: ports.https, path, headers: { host }, servername: 'first.test', rejectUnauthorized: false, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode, text, cookie: response.headers['set-cookie']?.[0] }));
      },
    );
    outgoing.on('error', reject).end();
  });
}

test('http and https are served together, and the instance is told which it was', async () => {
  const { status, text } = await overHttps('web.service', '/x');

  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({
    service: 'web',
    headers: { 'x-forwarded-proto': 'https', 'x-forwarded-port': String(world.edge.ports.https) },
  });
  expect(await world.who('web.service')).toBe('web/a');
});

test('what a client says of itself does not reach the instance, and each request has an ID of its own', async () => {
  const seen = async () => {
    const told = {
      'X-Forwarded-For': '6.6.6.6',
      'X-Forwarded-Proto': 'gopher',
      'X-Forwarded-Host': 'evil',
      'X-Forwarded-Port': '1',
      'X-Request-ID': 'mine',
    };
    const answer = await ask({ address: world.edge.bind, port: world.edge.ports.http, host: 'web.service', headers: told });
    return answer.kind === 'answer' ? answer.from.headers : undefined;
  };

  const [first, second] = [await seen(), await seen()];

  expect(first).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'web.service',
    'x-forwarded-port': String(world.edge.ports.http),
    'x-request-id': expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/),
  });
  expect(second?.['x-request-id']).not.toBe(first?.['x-request-id']);
});

test('the client’s name chooses the certificate; a name of none gets the first', async () => {
  expect((await served('first.test')).name).toBe('first.test');
  expect((await served('second.test')).name).toBe('second.test');
  expect((await served('other.test')).name).toBe('first.test');
});

test('a certificate is replaced without a reload', async () => {
  const worker = await world.edge.worker();

  const serial = await certify('first.test');

  await until(async () => (await served('first.test')).serial === serial, 15_000, 'the new certificate is served');
  expect(await world.edge.worker()).toBe(worker);
});

test('a file that is none leaves the certificate before it in place, and is a problem until it is mended', async () => {
  const { serial } = await served('second.test');
  const named = async () =>
    (await world.edge.status()).problems.some(({ option, value }) => option === 'certs' && value?.endsWith('second.test.pem'));

  await writeFile(join(certificates(), 'second.test.pem'), 'not a certificate');
  await until(named, 15_000, 'the file is named');
  expect((await served('second.test')).serial).toBe(serial);

  await certify('second.test');
  await until(async () => !(await named()), 15_000, 'the problem is over');
});

test('one that HAProxy does not load is a problem of its own: the one before it is served on, and services come and go', async () => {
  const [{ serial }, named] = [await served('second.test'), /second\.test\.pem.*HAProxy does not load it.*the one before it/];

  await certify('second.test', { newKey: ['rsa:512'] });
  await certify('weak.test', { newKey: ['rsa:512'] });

  await until(async () => named.test(JSON.stringify((await world.edge.status()).problems)), 15_000, 'it is named');
  await world.serve('later', 'a', ['haproxy', 'haproxy_httpchk=/']);
  await world.isAnswered('later.service', 'later/a');
  expect((await served('second.test')).serial).toBe(serial);
  expect((await served('weak.test')).name).toBe('first.test');
  await rm(join(certificates(), 'weak.test.pem'));
  const mended = await certify('second.test');
  await until(async () => (await served('second.test')).serial === mended, 15_000, 'it is mended');
});

test('one with a chain that is too long to be told at run time comes with a reload, and holds up nothing', async () => {
  const worker = await world.edge.worker();

  const serial = await certify('first.test', { chain: 40 });

  await until(async () => (await served('first.test')).serial === serial, 15_000, 'the new certificate is served');
  expect(await world.edge.worker()).not.toBe(worker);
  await world.serve('later', 'b', ['haproxy', 'haproxy_httpchk=/']);
  await until(async () => (await world.who('later.service')) === 'later/b', 15_000, 'others are followed');
  await certify('first.test');
});

test('a folder that is emptied closes nothing, not even over a restart: the last certificates are served on, and it is a problem', async () => {
  const [{ serial }, worker] = [await served('second.test'), await world.edge.worker()];
  const isNamed = async () =>
    (await world.edge.status()).problems.some(({ option, value }) => option === 'certs' && value === certificates());
  const away = join(folder.path, 'away');

  await rename(certificates(), away);
  await mkdir(certificates());
  await until(isNamed, 15_000, 'the folder is named');
  expect((await served('second.test')).serial).toBe(serial);
  await world.edge.templater().stop();
  await world.edge.start();
  await until(isNamed, 15_000, 'the next templater names it too');
  await world.serve('new', 'a', ['haproxy', 'haproxy_httpchk=/']);
  await world.isAnswered('new.service', 'new/a');
  expect(await world.edge.worker()).not.toBe(worker);
  expect((await served('second.test')).serial).toBe(serial);

  for (const name of await readdir(away)) await rename(join(away, name), join(certificates(), name));
  await until(async () => !(await isNamed()), 15_000, 'the problem is over');
  expect((await served('second.test')).serial).toBe(serial);
});

test('a certificate that ends soon is a problem before it has ended', async () => {
  await certify('soon.test', { days: 5 });

  await until(
    async () =>
      (await world.edge.status()).problems.some(({ value, reason }) => value?.endsWith('soon.test.pem') && reason.includes('renew')),
    15_000,
    'it is named',
  );
  await rm(join(certificates(), 'soon.test.pem'));
});

test('a service may send its requests over HTTP to HTTPS', async () => {
  const one = await world.serve('moved', 'a', ['haproxy', 'haproxy_redirect=https']);
  await until(async () => (await world.who('moved.service')) === '301', 10_000, 'it redirects');

  const { status, text } = await overHttps('moved.service', '/x');

  expect([status, JSON.parse(text).service]).toEqual([200, 'moved']);
  await world.withdraw(one);
});

test('the cookie of a sticky service is sent back over HTTPS alone where it was given over HTTPS', async () => {
  const one = await world.serve('shop', 'a', ['haproxy', 'haproxy_sticky']);
  await world.isAnswered('shop.service', 'shop/a');

  const { cookie } = await overHttps('shop.service', '/');
  const plain = await world.ask('shop.service');

  expect(cookie).toMatch(/^toots_shop=[0-9a-f]{16}; path=\/; HttpOnly; SameSite=Lax; Secure$/);
  expect(plain.kind === 'answer' && plain.headers['set-cookie']?.[0]).toMatch(/^toots_shop=[0-9a-f]{16}; path=\/; HttpOnly; SameSite=Lax$/);
  await world.withdraw(one);
});

test('the end of each certificate is a metric, in seconds since 1970', async () => {
  const { bind, ports } = world.edge;
  const metrics = await (await fetch(`http://${bind}:${ports.api}/metrics`)).text();
  const ends = new Map(
    [...metrics.matchAll(/^toots_edge_certificate_expiry_timestamp_seconds\{.*?file="(.*?)".*?\} (\d+)$/gm)].map(([, file, at]) => [
      file,
      Number(at),
    ]),
  );

  expect([...ends.keys()]).toEqual(expect.arrayContaining(['first.test.pem', 'second.test.pem']));
  expect(Math.abs((ends.get('first.test.pem') ?? 0) - Date.now() / 1000 - 300 * 86_400)).toBeLessThan(86_400);
});
