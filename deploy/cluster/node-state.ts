import { existsSync } from 'node:fs';
import { execa } from 'execa';
import * as v from 'valibot';
import { parse } from 'yaml';
import { OperationError } from '../../daemon/operation-error.ts';
import { ENGINE_URL } from '../host/docker-engine.ts';
import { COMPOSE_PROJECT } from './compose-text.ts';
import { composeFile, writtenComposeText } from './write-node.ts';

/** How one daemon of this node is. */
export interface DaemonState {
  readonly name: string;
  readonly image: string;
  /** `running`, `exited`, …; `absent` when there is no container. */
  readonly state: string;
  readonly health: 'healthy' | 'starting' | 'unhealthy' | 'unchecked';
  /** What its health check said last, when it is not healthy. */
  readonly said: string;
}

const inspected = v.array(
  v.object({
    Name: v.string(),
    Config: v.object({ Image: v.string() }),
    State: v.object({
      Status: v.string(),
      Health: v.optional(v.object({ Status: v.string(), Log: v.nullish(v.array(v.object({ Output: v.string() }))) })),
    }),
  }),
);

/** Whether a node was set up here. */
export function isNode(stateDir: string): boolean {
  return existsSync(composeFile(stateDir));
}

/** Names of the daemons of this node, in the order of their start. @throws OperationError when no node was set up here. */
export async function daemonNames(stateDir: string): Promise<readonly string[]> {
  const text = await writtenComposeText(stateDir);
  if (text === undefined)
    throw new OperationError('read the node', { subject: stateDir, hint: 'no node is set up here; ./toots.sh does that' });
  return Object.keys((parse(text) as { services: object }).services);
}

/** How each daemon of this node is. */
export async function readNodeState(stateDir: string, signal?: AbortSignal): Promise<readonly DaemonState[]> {
  const names = await daemonNames(stateDir);
  const containers = names.map((name) => `${COMPOSE_PROJECT}-${name}`);
  // One call, and not Compose's: this is asked every second while a node starts. Names without a container make it exit with 1.
  const { stdout } = await execa('docker', ['inspect', '--type', 'container', ...containers], {
    stdin: 'ignore',
    env: { DOCKER_HOST: ENGINE_URL },
    reject: false,
    ...(signal !== undefined && { cancelSignal: signal }),
  });
  const found = v.parse(inspected, JSON.parse(stdout || '[]'));
  return names.map((name) => {
    const container = found.find(({ Name }) => Name === `/${COMPOSE_PROJECT}-${name}`);
    if (container === undefined) return { name, image: '', state: 'absent', health: 'unchecked', said: '' };
    const { Status, Health } = container.State;
    const health = Health === undefined ? 'unchecked' : parseHealth(Health.Status);
    const said = health === 'healthy' || health === 'unchecked' ? '' : (Health?.Log?.at(-1)?.Output.trim() ?? '');
    return { name, image: container.Config.Image, state: Status, health, said };
  });
}

function parseHealth(status: string): DaemonState['health'] {
  return status === 'healthy' || status === 'unhealthy' || status === 'starting' ? status : 'unchecked';
}

/** Whether a daemon does its work, as far as anybody knows. Pure. */
export function isWell({ state, health }: DaemonState): boolean {
  return state === 'running' && (health === 'healthy' || health === 'unchecked');
}

/** A line a daemon, for people. Pure. */
export function nodeStateText(states: readonly DaemonState[]): string {
  const width = Math.max(...states.map(({ name }) => name.length));
  return states
    .map(({ name, state, health, said, image }) => {
      const how = state === 'running' ? health : state;
      return `  ${name.padEnd(width)}  ${how.padEnd(9)}  ${image}${said === '' ? '' : `\n    ${said.split('\n').at(-1)}`}\n`;
    })
    .join('');
}
