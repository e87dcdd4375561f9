import { execFile } from 'node:child_process';
import type { Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { OperationError } from '../../daemon/operation-error.ts';
import type { TemplateConfig } from './template-config.ts';

export type FileConfig = Pick<TemplateConfig, 'destination' | 'createDestDirs' | 'perms' | 'user' | 'group' | 'backups' | 'inPlace'>;

/** Bytes of a file; undefined when there is none. @throws OperationError when it is there and cannot be read. */
export async function readDestination(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (isCode(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new OperationError('read file', { subject: path, cause });
  }
}

/** A file beside the destination with the new text, owner and permissions; `keep` makes it the destination, else it is thrown away. */
export interface Candidate extends AsyncDisposable {
  readonly path: string;
  readonly keep: () => Promise<void>;
  /** Leaves it as `DEST.rejected`, for whoever looks for what was wrong. */
  readonly reject: () => Promise<void>;
}

/** @throws OperationError when the destination's folder cannot be written. */
export async function writeCandidate(config: FileConfig, text: string): Promise<Candidate> {
  return await told(config.destination, async () => {
    const { destination, old } = await target(config.destination);
    const path = join(dirname(destination), `.${basename(destination)}.${process.pid}.new`);
    const owner = await ownerOf(config);
    const file = await openNew(path, config.createDestDirs);
    try {
      await file.writeFile(text);
      const uid = owner.uid ?? old?.uid;
      const gid = owner.gid ?? old?.gid;
      if (uid !== undefined && gid !== undefined && (uid !== process.getuid?.() || gid !== process.getgid?.())) await file.chown(uid, gid);
      else if (owner.uid !== undefined || owner.gid !== undefined)
        await file.chown(uid ?? process.getuid?.() ?? 0, gid ?? process.getgid?.() ?? 0);
      await file.chmod(config.perms ?? (old === undefined ? 0o644 : old.mode & 0o7777));
      await file.sync();
    } finally {
      await file.close();
    }
    return {
      path,
      keep: () => told(destination, () => replace(config, path, destination, text)),
      reject: () => told(destination, () => rename(path, `${destination}.rejected`)),
      [Symbol.asyncDispose]: () => rm(path, { force: true }),
    };
  });
}

/** The last version stays `DEST.bak`, the ones before `DEST.bak.2` and so on. */
async function replace({ backups, inPlace }: FileConfig, candidate: string, destination: string, text: string): Promise<void> {
  await backUp(destination, backups);
  if (inPlace) return await writeInPlace(destination, text);
  try {
    await rename(candidate, destination);
    await syncFolder(dirname(destination));
  } catch (error) {
    // A single file that is mounted into a container cannot be replaced, only written.
    if (!isCode(error, 'EBUSY', 'EXDEV')) throw error;
    await writeInPlace(destination, text);
  }
}

async function backUp(destination: string, backups: number): Promise<void> {
  if (backups === 0 || (await stat(destination).catch(() => undefined)) === undefined) return;
  const name = (age: number) => `${destination}.bak${age === 1 ? '' : `.${age}`}`;
  for (let age = backups - 1; age >= 1; age--) await rename(name(age), name(age + 1)).catch(ignoring('ENOENT'));
  await rm(name(1), { force: true });
  await link(destination, name(1)).catch(async (error: unknown) => {
    if (!isCode(error, 'EXDEV', 'EPERM', 'EMLINK')) throw error;
    await writeInPlace(name(1), await readFile(destination));
  });
}

async function writeInPlace(path: string, text: string | Buffer): Promise<void> {
  const file = await open(path, 'w', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A link stays one: what it leads to is written. */
async function target(path: string): Promise<{ readonly destination: string; readonly old: Stats | undefined }> {
  const old = await lstat(path).catch(() => undefined);
  if (old?.isSymbolicLink() !== true) return { destination: path, old };
  const destination = await realpath(path).catch(() => path);
  return { destination, old: await stat(destination).catch(() => undefined) };
}

async function openNew(path: string, createsFolders: boolean): Promise<FileHandle> {
  try {
    return await open(path, 'w', 0o600);
  } catch (error) {
    if (!createsFolders || !isCode(error, 'ENOENT')) throw error;
    await mkdir(dirname(path), { recursive: true });
    return await open(path, 'w', 0o600);
  }
}

async function ownerOf({ user, group }: FileConfig): Promise<{ readonly uid: number | undefined; readonly gid: number | undefined }> {
  return { uid: await idOf('passwd', user), gid: await idOf('group', group) };
}

/** @throws OperationError for a name that the system does not know. */
async function idOf(database: 'passwd' | 'group', name: string | undefined): Promise<number | undefined> {
  if (name === undefined || /^\d+$/.test(name)) return name === undefined ? undefined : Number(name);
  try {
    const { stdout } = await promisify(execFile)('getent', [database, name]);
    return Number(stdout.split(':')[2]);
  } catch (cause) {
    throw new OperationError(`find ${database === 'passwd' ? 'user' : 'group'}`, {
      subject: name,
      cause,
      hint: 'this system does not know it',
    });
  }
}

async function told<Result>(subject: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('write file', { subject, cause });
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && codes.some((code) => code === error.code);
}

function ignoring(...codes: readonly string[]): (error: unknown) => void {
  return (error) => {
    if (!isCode(error, ...codes)) throw error;
  };
}
