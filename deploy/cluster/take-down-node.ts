import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import { docker, engineVersion } from '../host/docker-engine.ts';
import { requireRoot } from '../host/require-root.ts';
import type { Progress } from '../progress.ts';
import { compose, composeVersion } from './compose.ts';
import { COMPOSE_PROJECT } from './compose-text.ts';
import { removeRegistryCa } from './registry-ca.ts';
import { restoreResolvConf } from './resolv-conf.ts';
import { composeFile, LEFT_VOLUMES, removeNodeFiles, writeNodeFile } from './write-node.ts';

/**
 * Ends this node: its host asks its own name servers again, its agent leaves the cluster, its containers go. Data of Consul and ZooKeeper stays,
 * and so do the node's files, unless `volumes` is said; Toots.conf and restricted/ stay. @throws OperationError, before anything is changed, where
 * it may not speak to the engine.
 */
export async function takeDownNode(stateDir: string, volumes: boolean, agentToken: string | undefined, progress: Progress): Promise<void> {
  requireRoot('end this node', 'it removes root’s files and speaks to the Docker engine');
  if (await restoreResolvConf(stateDir)) progress.note('this host asks its own name servers again');
  await requireCompose(); // after the name servers: they are put back without it
  await progress.step('Leaving the cluster', async () => {
    const token = agentToken === undefined ? [] : ['-e', `CONSUL_HTTP_TOKEN=${agentToken}`];
    await docker(['exec', ...token, `${COMPOSE_PROJECT}-consul`, 'consul', 'leave']).catch(() => ''); // it may be down, or alone
  });
  await progress.step('Removing the containers', () =>
    compose(composeFile(stateDir), ['down', '--remove-orphans', ...(volumes ? ['--volumes'] : [])]),
  );
  const ca = await removeRegistryCa(stateDir);
  if (ca !== undefined) progress.note(`${ca} is removed`);
  if (volumes) await removeNodeFiles(stateDir);
  else {
    await rememberVolumes(stateDir);
    await rm(composeFile(stateDir), { force: true });
  }
}

/**
 * Removes what a node that was ended before left behind: its daemons' data, and what `up` wrote. Where none was, nothing is done.
 * @throws OperationError when it cannot.
 */
export async function removeNodeData(stateDir: string, progress: Progress): Promise<void> {
  if (!existsSync(stateDir)) return;
  requireRoot('remove the data of this node', 'it removes root’s files and speaks to the Docker engine');
  const volumes = await leftVolumes(stateDir);
  if (volumes.length > 0) await docker(['volume', 'rm', '--force', ...volumes]); // --force: one that is gone already is none too few
  for (const name of volumes) progress.note(`${name} is removed`);
  await removeNodeFiles(stateDir);
}

/** Keeps the names of the volumes that a Compose file has made, before it goes: what else the engine has is not ours. */
async function rememberVolumes(stateDir: string): Promise<void> {
  const { volumes = {} } = parse(await readFile(composeFile(stateDir), 'utf8')) as { readonly volumes?: object };
  const names = Object.keys(volumes).map((name) => `${COMPOSE_PROJECT}_${name}`);
  await writeNodeFile(stateDir, { path: LEFT_VOLUMES, text: `${names.join('\n')}\n`, secret: false });
}

async function leftVolumes(stateDir: string): Promise<readonly string[]> {
  const text = await readFile(join(stateDir, LEFT_VOLUMES), 'utf8').catch((cause: unknown) => {
    if (isSystemError(cause, 'ENOENT')) return '';
    throw new OperationError('remove the data of this node', { subject: stateDir, cause });
  });
  return text.split('\n').filter((name) => name !== '');
}

/** @throws OperationError that says what is missing, where Docker would speak of an unknown flag. */
async function requireCompose(): Promise<void> {
  const fail = (hint: string) => {
    throw new OperationError('end this node', { subject: 'its containers', hint });
  };
  if ((await engineVersion()) === undefined) fail('the Docker engine does not answer; start it, then ./toots.sh down again');
  if ((await composeVersion()) === undefined) fail('Compose is not there; ./toots.sh up installs it, then ./toots.sh down again');
}
