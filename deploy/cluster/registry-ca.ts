import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import type { ClusterConf } from './conf.ts';
import { registryName } from './images.ts';

/** The certificate of a private registry's CA, and where the Docker engine looks for it. */
export interface RegistryCa {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** What we put there, so that we take away nothing else. */
const written = v.object({ path: v.string(), sha256: v.string() });

const writtenFile = (stateDir: string) => join(stateDir, 'registry-ca.json');
const digest = (text: string) => createHash('sha256').update(text).digest('hex');

/** The CA that Toots.conf names, if it names a registry too; its file is beside Toots.conf. @throws OperationError when it is no certificate. */
export async function readRegistryCa(conf: ClusterConf, confFile: string): Promise<RegistryCa | undefined> {
  if (conf.CA === undefined || conf.REGISTRY_IP === undefined) return undefined;
  const from = resolve(dirname(confFile), conf.CA);
  const text = await readFile(from, 'utf8').catch((cause: unknown) => {
    throw new OperationError('read the CA of the registry', {
      subject: from,
      cause,
      hint: 'put it there (PEM), or take CA out of Toots.conf where the engine knows it already',
    });
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw new OperationError('read the CA of the registry', { subject: from, hint: 'it is no certificate in PEM' });
  return { from, to: `/etc/docker/certs.d/${registryName(conf)}/ca.crt`, text };
}

/**
 * Has the Docker engine trust this CA for that one registry, and no earlier one of ours; it looks at each pull, so it need not be restarted.
 * @throws OperationError when another's file is in the way.
 */
export async function installRegistryCa(ca: RegistryCa | undefined, stateDir: string): Promise<void> {
  const there = ca === undefined ? undefined : await readOrUndefined(ca.to);
  if (ca !== undefined && there === ca.text) return;
  await removeRegistryCa(stateDir);
  if (ca === undefined) return;
  if ((await readOrUndefined(ca.to)) !== undefined)
    throw new OperationError('write the CA of the registry', {
      subject: ca.to,
      hint: `another one is there, which is not of ./toots.sh: remove it, or take CA out of Toots.conf`,
    });
  await mkdir(dirname(ca.to), { recursive: true });
  await mkdir(stateDir, { recursive: true });
  await writeFile(writtenFile(stateDir), JSON.stringify({ path: ca.to, sha256: digest(ca.text) }));
  await writeFile(`${ca.to}.new`, ca.text, { mode: 0o644 });
  await rename(`${ca.to}.new`, ca.to);
}

/** Takes away the CA that was put there, unless somebody else has changed it since. Answers its path when there was one. */
export async function removeRegistryCa(stateDir: string): Promise<string | undefined> {
  const text = await readOrUndefined(writtenFile(stateDir));
  if (text === undefined) return undefined;
  const { path, sha256 } = v.parse(written, JSON.parse(text));
  const there = await readOrUndefined(path);
  const isOurs = there !== undefined && digest(there) === sha256;
  if (isOurs) {
    await rm(path, { force: true });
    await rmdir(dirname(path)).catch(() => {}); // others' files of that registry
  }
  await rm(writtenFile(stateDir), { force: true });
  return isOurs ? path : undefined;
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined;
    throw new OperationError('read the CA of the registry', { subject: path, cause });
  }
}
