import { performance } from 'node:perf_hooks';
import { OperationError } from '../../daemon/operation-error.ts';
import { sleep } from '../../daemon/sleep.ts';
import type { Progress } from '../progress.ts';
import { waitUntil } from '../wait-until.ts';
import { ensureTokens, hasLeader, localConsul } from './acl.ts';
import { compose } from './compose.ts';
import { composeText } from './compose-text.ts';
import type { NodePlan } from './daemon.ts';
import type { NodeContext } from './node-context.ts';
import { ensureImages } from './node-images.ts';
import { isWell, readNodeState } from './node-state.ts';
import { planChange } from './plan-change.ts';
import { restoreResolvConf, takeResolvConf, writeUpstream } from './resolv-conf.ts';
import { withStandIns } from './stand-in.ts';
import { composeFile, writeNode, writtenComposeText } from './write-node.ts';

const LOOK_EVERY_MS = 1_000;

/** Makes a node what its plan says, and waits until every daemon is well. @throws OperationError that names the step that failed. */
export async function startNode(
  context: NodeContext,
  plan: NodePlan,
  withinMs: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { stateDir, address } = context;
  const hasDns = plan.daemons.some(({ name }) => name === 'dnsmasq');
  await ensureImages(
    plan.daemons.map(({ image }) => image),
    progress,
    signal,
  );
  if (!hasDns) await restoreResolvConf(stateDir); // before the dnsmasq that it names goes
  if (hasDns) await writeUpstream(stateDir, address);
  const changes = planChange(await writtenComposeText(stateDir), composeText(plan));
  await writeNode(plan, stateDir);
  const start = async () => {
    await progress.step('Starting the containers', () =>
      compose(composeFile(stateDir), ['up', '--detach', '--remove-orphans', '--quiet-pull'], signal),
    );
    await waitForNode(context, performance.now() + withinMs, progress, signal);
  };
  const replaced = changes.filter(({ does }) => does === 'replace').map(({ name }) => name);
  await withStandIns(replaced, start, progress, signal);
  if (hasDns) await progress.step('This host asks its own DNS', () => takeResolvConf(stateDir, address));
}

/** Until Consul has a leader and its tokens, as far as this node sees to that, and every daemon is well. */
async function waitForNode(
  { stateDir, answers, secrets, conf }: NodeContext,
  end: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const left = () => ({ withinMs: Math.max(0, end - performance.now()), everyMs: LOOK_EVERY_MS });
  if (answers.roles.has('master') && secrets !== undefined) {
    await using consul = localConsul(secrets.master?.management);
    await progress.step('A leader of Consul', () =>
      waitUntil(
        () => hasLeader(consul, signal),
        {
          ...left(),
          what: 'a leader of Consul',
          hint: `${conf.MASTERS.length} masters have to find each other: start the others, then ./toots.sh up again`,
        },
        signal,
      ),
    );
    // Consul may lose its leader again in its first seconds, and then takes no token.
    await progress.step('ACL tokens', () =>
      waitUntil(
        () => ensureTokens(consul, secrets, signal).then(() => true),
        { ...left(), what: 'Consul to take the tokens', hint: './toots.sh logs consul has more' },
        signal,
      ),
    );
  }
  await progress.step('Every daemon is well', () => waitUntilWell(stateDir, end, signal));
}

/**
 * Waits until every daemon of this node is well, or those that are named.
 * @throws OperationError that names those that are not, at `end` on the clock of performance.
 */
export async function waitUntilWell(stateDir: string, end: number, signal: AbortSignal, only?: readonly string[]): Promise<void> {
  const unwell = async () =>
    (await readNodeState(stateDir, signal)).filter((state) => !isWell(state) && (only === undefined || only.includes(state.name)));
  let last = await unwell();
  while (last.length > 0) {
    if (performance.now() > end) {
      const names = last.map(({ name, state, health }) => `${name} is ${state === 'running' ? health : state}`).join(', ');
      throw new OperationError('wait for the daemons', { hint: `${names}; see ./toots.sh status and ./toots.sh logs ${last[0]?.name}` });
    }
    await sleep(LOOK_EVERY_MS, signal);
    last = await unwell();
  }
}
