import { rm } from 'node:fs/promises';
import { docker } from '../host/docker-engine.ts';
import type { Progress } from '../progress.ts';
import { compose } from './compose.ts';
import { COMPOSE_PROJECT } from './compose-text.ts';
import { removeRegistryCa } from './registry-ca.ts';
import { restoreResolvConf } from './resolv-conf.ts';
import { composeFile } from './write-node.ts';

/**
 * Ends this node: its host asks its own name servers again, its agent leaves the cluster, its containers go. Data of Consul and ZooKeeper stays,
 * unless `volumes` is said, and so do Toots.conf and restricted/.
 */
export async function takeDownNode(stateDir: string, volumes: boolean, agentToken: string | undefined, progress: Progress): Promise<void> {
  if (await restoreResolvConf(stateDir)) progress.note('this host asks its own name servers again');
  await progress.step('Leaving the cluster', async () => {
    const token = agentToken === undefined ? [] : ['-e', `CONSUL_HTTP_TOKEN=${agentToken}`];
    await docker(['exec', ...token, `${COMPOSE_PROJECT}-consul`, 'consul', 'leave']).catch(() => ''); // it may be down, or alone
  });
  await progress.step('Removing the containers', () =>
    compose(composeFile(stateDir), ['down', '--remove-orphans', ...(volumes ? ['--volumes'] : [])]),
  );
  const ca = await removeRegistryCa(stateDir);
  if (ca !== undefined) progress.note(`${ca} is removed`);
  await rm(composeFile(stateDir), { force: true });
}
