import { rm } from 'node:fs/promises';
import { OperationError } from '../../daemon/operation-error.ts';
import { docker, engineVersion } from '../host/docker-engine.ts';
import { requireRoot } from '../host/require-root.ts';
import type { Progress } from '../progress.ts';
import { compose, composeVersion } from './compose.ts';
import { COMPOSE_PROJECT } from './compose-text.ts';
import { removeRegistryCa } from './registry-ca.ts';
import { restoreResolvConf } from './resolv-conf.ts';
import { composeFile, removeNodeFiles } from './write-node.ts';

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
  else await rm(composeFile(stateDir), { force: true });
}

/** Removes what a node that was ended before left behind: its daemons' data, and what `up` wrote. @throws OperationError when it cannot */
export async function removeNodeData(stateDir: string, progress: Progress): Promise<void> {
  requireRoot('remove the data of this node', 'it removes root’s files and speaks to the Docker engine');
  const volumes = (await docker(['volume', 'ls', '--quiet', '--filter', `label=com.docker.compose.project=${COMPOSE_PROJECT}`])).split(
    '\n',
  );
  const named = volumes.filter((name) => name !== '');
  if (named.length > 0) {
    await docker(['volume', 'rm', ...named]);
    progress.note(`removed: ${named.join(', ')}`);
  }
  await removeNodeFiles(stateDir);
}

/** @throws OperationError that says what is missing, where Docker would speak of an unknown flag. */
async function requireCompose(): Promise<void> {
  const fail = (hint: string) => {
    throw new OperationError('end this node', { subject: 'its containers', hint });
  };
  if ((await engineVersion()) === undefined) fail('the Docker engine does not answer; start it, then ./toots.sh down again');
  if ((await composeVersion()) === undefined) fail('Compose is not there; ./toots.sh up installs it, then ./toots.sh down again');
}
