import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readRegistryCa } from '../../../deploy/cluster/registry-ca.ts';
import { tempDir } from '../../harness/temp-dir.ts';
import { conf } from './a-node.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n';

test('TT-16: the CA beside Toots.conf goes where the engine looks for that one registry', async () => {
  await using folder = await tempDir();
  await writeFile(join(folder.path, 'ca.pem'), PEM);
  const read = (text: string) => readRegistryCa(conf(text), join(folder.path, 'Toots.conf'));

  expect(await read('REGISTRY_IP=10.0.0.8\nCA=ca.pem')).toEqual({
    from: join(folder.path, 'ca.pem'),
    to: '/etc/docker/certs.d/registry.super.com/ca.crt',
    text: PEM,
  });
  expect((await read('REGISTRY_IP=10.0.0.8\nREGISTRY_NAME=hub.corp\nCA=ca.pem'))?.to).toBe('/etc/docker/certs.d/hub.corp/ca.crt');
  expect(await read('CA=ca.pem')).toBeUndefined(); // as in the original: for a registry alone
});

test('TT-76: a CA that is not there, or none, is told with what to do; nothing is asked', async () => {
  await using folder = await tempDir();
  await writeFile(join(folder.path, 'key.pem'), '-----BEGIN PRIVATE KEY-----');
  const read = (name: string) => readRegistryCa(conf(`REGISTRY_IP=10.0.0.8\nCA=${name}`), join(folder.path, 'Toots.conf'));

  await expect(read('gone.pem')).rejects.toThrow(/gone\.pem.*take CA out of Toots\.conf where the engine knows it already/);
  await expect(read('key.pem')).rejects.toThrow(/key\.pem: it is no certificate in PEM/);
});
