import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { ExecaError, execa } from 'execa';
import { findProgram } from '../../daemon/find-program.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { installPackages } from '../host/debian.ts';
import type { Answers } from './answers.ts';

/** Where a persistent slave's data are, on the host as in the original: tasks mount folders of it by their path. */
export const STORE = '/var/store';

/** As the original mounted it. */
const OPTIONS = 'noatime,nolock,nfsvers=4,tcp,actimeo=1800';

/** How long a first mount may take, milliseconds: the client tries for minutes. */
const MOUNT_WITHIN_MS = 60_000;

/** The line that mounts the data at each start of the host, tried again in the background while the server is down. Pure. */
export function fstabLine(nfs: string): string {
  return `${nfs} ${STORE} nfs auto,bg,${OPTIONS} 0 0`;
}

/** The share that a node with these answers has its data on; undefined for all but persistent slaves. Pure. */
export function storeOf({ roles, slaveMode, nfs }: Answers): string | undefined {
  return roles.has('slave') && slaveMode === 'persistent' ? nfs : undefined;
}

/** Whether something is mounted there. */
export async function isStoreMounted(): Promise<boolean> {
  return (await readFile('/proc/self/mounts', 'utf8')).split('\n').some((line) => line.split(' ')[1] === STORE);
}

/**
 * Mounts the share of a persistent slave, now and at each start of the host; it stays mounted at `toots down`, as what runs may use it.
 * @throws OperationError when the folder holds something that a mount would hide, fstab has another line, or it cannot be mounted.
 */
export async function mountStore(nfs: string, signal: AbortSignal): Promise<void> {
  const fstab = await readFile('/etc/fstab', 'utf8').catch(() => '');
  const other = fstab.split('\n').find((line) => !line.trim().startsWith('#') && line.trim().split(/\s+/)[1] === STORE);
  if (other !== undefined)
    throw new OperationError('mount the data of a persistent slave', {
      subject: STORE,
      hint: `/etc/fstab has a line for it that is not mounted: mount ${STORE}, or remove the line: ${other.trim()}`,
    });
  await mkdir(STORE, { recursive: true });
  const entries = await readdir(STORE);
  if (entries.length > 0)
    throw new OperationError('mount the data of a persistent slave', {
      subject: STORE,
      hint: `it holds ${entries.slice(0, 3).join(', ')}${entries.length > 3 ? ', …' : ''}, which a mount would hide: move that away first`,
    });
  if (findProgram('mount.nfs') === undefined) await installPackages(['nfs-common'], signal);
  try {
    const options = { stdin: 'ignore', timeout: MOUNT_WITHIN_MS, cancelSignal: signal } as const;
    await execa('mount', ['-t', 'nfs', '-o', OPTIONS, nfs, STORE], options);
  } catch (cause) {
    if (!(cause instanceof ExecaError) || signal.aborted) throw cause;
    throw new OperationError('mount the data of a persistent slave', {
      subject: `${nfs} on ${STORE}`,
      cause,
      hint: `${String(cause.stderr ?? '').trim() || cause.shortMessage}; look at the server with showmount -e ${nfs.split(':')[0]}, or correct NFS`,
    });
  }
  await appendFile('/etc/fstab', `${fstab === '' || fstab.endsWith('\n') ? '' : '\n'}${fstabLine(nfs)}\n`);
}
