import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { flag } from '../../daemon/values.ts';
import { stateOption } from '../cluster/node-options.ts';
import { isNode } from '../cluster/node-state.ts';
import { removeNodeData, takeDownNode } from '../cluster/take-down-node.ts';
import { command } from '../command.ts';
import { endProcess } from '../host/process-identity.ts';
import { createProgress, STDOUT } from '../progress.ts';
import { type DemoState, demoFiles, isUp, readDemoState } from './demo-state.ts';
import { runDirOption } from './run-dir.ts';
import { removeFiles, takeDown } from './take-down.ts';

/** How long the supervisor may take to take everything down, milliseconds; then it is done without it. */
const END_WITHIN_MS = 60_000;

/** Ends the node and the demo of this machine, also a demo whose supervisor was killed. */
export const downCommand = command(
  {
    name: 'down',
    usage: '',
    line: 'Ends the node of this machine, and the demo, and removes what they started',
    about:
      'Ends the node of this machine: its agent leaves the cluster, its containers go, its name servers are those from before. Ends the demo too.\n' +
      'Data of Consul and ZooKeeper stays, as does all that others started; -volumes removes it, and the node’s settings, tokens and keys.',
    options: {
      runDir: runDirOption,
      stateDir: stateOption,
      volumes: {
        flag: 'volumes',
        schema: flag(),
        describe: 'Removes the data of this node’s Consul and ZooKeeper too, and what up wrote into the state folder',
      },
    },
  },
  async ({ runDir, stateDir, volumes }) => {
    const progress = createProgress(STDOUT);
    const isSetUp = isNode(stateDir);
    if (isSetUp) await takeDownNode(stateDir, volumes, await agentTokenOf(stateDir), progress);
    const state = await readDemoState(demoFiles(runDir));
    await progress.step(
      'Taking the demo down',
      () => end(runDir, state),
      (ended) => (ended.length === 0 ? 'nothing was running' : ended.join(', ')),
    );
    if (volumes && !isSetUp) await removeNodeData(stateDir, progress);
    return 0;
  },
);

/** The token that a node's agent was given; undefined where there are no ACLs. */
async function agentTokenOf(stateDir: string): Promise<string | undefined> {
  const text = await readFile(join(stateDir, 'consul', 'agent.json'), 'utf8').catch(() => '{}');
  return v.parse(agentAcl, JSON.parse(text)).acl?.tokens.agent;
}

const agentAcl = v.object({ acl: v.optional(v.object({ tokens: v.object({ agent: v.string() }) })) });

async function end(runDir: string, state: DemoState | undefined): Promise<readonly string[]> {
  const files = demoFiles(runDir);
  const bySupervisor = isUp(state);
  if (bySupervisor) await endProcess(state.supervisor, END_WITHIN_MS);
  const rest = await takeDown(files, state ?? { programs: {} });
  await removeFiles(runDir, { keepLogs: false });
  return bySupervisor ? ['the demo and all it had started', ...rest] : rest;
}
