import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExecaError, execa } from 'execa';
import { OperationError } from '../../daemon/operation-error.ts';
import { unpackFrom } from '../host/debian.ts';
import { ENGINE_URL } from '../host/docker-engine.ts';
import { COMPOSE_PROJECT } from './compose-text.ts';

/** Runs Compose on the file of this node; answers what it printed. @throws OperationError with its last words. */
export async function compose(file: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  try {
    const { stdout } = await execa('docker', ['compose', '--project-name', COMPOSE_PROJECT, '--file', file, ...args], {
      stdin: 'ignore',
      env: { DOCKER_HOST: ENGINE_URL },
      ...(signal !== undefined && { cancelSignal: signal }),
    });
    return stdout.trim();
  } catch (cause) {
    if (!(cause instanceof ExecaError) || signal?.aborted) throw cause;
    const said = String(cause.stderr ?? '')
      .trim()
      .split('\n')
      .slice(-5)
      .join('\n');
    throw new OperationError(`docker compose ${args[0]}`, { subject: file, cause, hint: said || cause.shortMessage });
  }
}

/** The version of Compose, or undefined when the Docker client has none of version 2. */
export async function composeVersion(): Promise<string | undefined> {
  const { stdout, failed } = await execa('docker', ['compose', 'version', '--short'], { stdin: 'ignore', reject: false });
  return failed ? undefined : stdout.trim();
}

/** Debian 12 has no Compose 2; the plugin of the next release runs there. */
const DEBIAN_WITH_COMPOSE = 'trixie';
const PLUGIN_FOLDER = '/usr/local/lib/docker/cli-plugins';

/** Installs Compose from a later Debian, for all users of this machine; nothing else of it changes. */
export async function installCompose(signal: AbortSignal): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'toots-compose-'));
  try {
    const root = await unpackFrom(DEBIAN_WITH_COMPOSE, 'docker-compose', folder, signal);
    await mkdir(PLUGIN_FOLDER, { recursive: true });
    await copyFile(join(root, 'usr/libexec/docker/cli-plugins/docker-compose'), join(PLUGIN_FOLDER, 'docker-compose.new'));
    await rename(join(PLUGIN_FOLDER, 'docker-compose.new'), join(PLUGIN_FOLDER, 'docker-compose'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return `Debian ${DEBIAN_WITH_COMPOSE}’s, in ${PLUGIN_FOLDER}`;
}
