import { chmod, chown, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import { composeText } from './compose-text.ts';
import type { NodeFile, NodePlan } from './daemon.ts';
import { TOOTS_ID } from './images.ts';

/** Folders that hold nothing but files of a plan; what is in them and is not planned goes. */
const OWN_FOLDERS = ['consul', 'registrator', 'templater'] as const;

/** Where this node's files are. */
export const DEFAULT_STATE_DIR = '/var/lib/toots';

/** The Compose file of a node. */
export function composeFile(stateDir: string): string {
  return join(stateDir, 'compose.yaml');
}

/** Writes a plan's files and its Compose file, each whole; secrets are for the daemons' user alone. @throws OperationError when one cannot be. */
export async function writeNode(plan: NodePlan, stateDir: string): Promise<void> {
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o755 });
    for (const file of plan.files) await writeNodeFile(stateDir, file);
    const wanted = new Set(plan.files.map(({ path }) => path));
    for (const folder of OWN_FOLDERS)
      for (const name of await readdir(join(stateDir, folder)).catch(() => []))
        if (!wanted.has(`${folder}/${name}`)) await rm(join(stateDir, folder, name), { recursive: true, force: true });
    await writeComposeFile(stateDir, composeText(plan));
  } catch (cause) {
    throw new OperationError('write the files of this node', { subject: stateDir, cause });
  }
}

/** Where `down` keeps the names of the volumes that it left, one a line. */
export const LEFT_VOLUMES = 'left-volumes';

/** Everything below a node's folder that `up` and `down` write, besides its Compose file. */
const WRITTEN = [...OWN_FOLDERS, 'dns', 'vip', 'registry-ca.json', 'resolv.conf.original.json', LEFT_VOLUMES] as const;

/**
 * Removes what `up` wrote into a node's folder, tokens and keys among it, and the folder when nothing else is in it.
 * @throws OperationError when it cannot.
 */
export async function removeNodeFiles(stateDir: string): Promise<void> {
  try {
    for (const name of [...WRITTEN, basename(composeFile(stateDir))])
      for (const path of [name, `${name}.new`]) await rm(join(stateDir, path), { recursive: true, force: true });
    await rmdir(stateDir).catch(() => {}); // others' files, such as a backup
  } catch (cause) {
    throw new OperationError('remove the files of this node', { subject: stateDir, cause });
  }
}

/** Writes one file of a plan. */
export async function writeNodeFile(stateDir: string, { path, text, secret }: Pick<NodeFile, 'path' | 'text' | 'secret'>): Promise<void> {
  await writeWhole(join(stateDir, path), text, secret);
}

/** The Compose file holds environments, so it is root's alone. */
export async function writeComposeFile(stateDir: string, text: string): Promise<void> {
  await writeWhole(composeFile(stateDir), text, true, 0);
}

async function writeWhole(path: string, text: string, secret: boolean, uid = TOOTS_ID): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return;
  await writeFile(`${path}.new`, text, { mode: secret ? 0o600 : 0o644 });
  await chmod(`${path}.new`, secret ? 0o600 : 0o644); // an earlier one, left by a crash, keeps its mode
  if (secret) await chown(`${path}.new`, uid, uid);
  await rename(`${path}.new`, path);
}

/** What was written before, as text; undefined on a node that has none. */
export async function writtenComposeText(stateDir: string): Promise<string | undefined> {
  try {
    return await readFile(composeFile(stateDir), 'utf8');
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined;
    throw new OperationError('read the files of this node', { subject: composeFile(stateDir), cause });
  }
}
