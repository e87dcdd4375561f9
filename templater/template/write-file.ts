import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { bytesOf } from '../../consul/byte-text.ts';
import { OperationError } from '../../daemon/operation-error.ts';
import { nodeChildProcess } from './lazy-packages.ts';
import type { TemplateConfig } from './template-config.ts';

// What has to be done before a file is there is done at once: each call that goes through Node's threads adds as much as ten of these take, on a
// busy machine a millisecond. Only files that are written together go to disk side by side.

export type FileConfig = Pick<TemplateConfig, 'destination' | 'createDestDirs' | 'perms' | 'user' | 'group' | 'backups' | 'inPlace'>;

/** Bytes of a file; undefined when there is none. @throws OperationError when something is there that is no file, or cannot be read. */
export function readDestination(path: string): Buffer | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    // A pipe would be waited for.
    if (!found.isFile()) throw new OperationError('read file', { subject: path, hint: 'there is something else of this name, no file' });
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
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

/** `isAlone`: no other file is being written, which would have to wait for this one's disk. @throws OperationError when the destination's folder cannot be written. */
export async function writeCandidate(config: FileConfig, text: string, isAlone: boolean): Promise<Candidate> {
  return await told(config.destination, async () => {
    const { destination, old } = target(config.destination);
    const path = join(dirname(destination), `.${basename(destination)}.${process.pid}.new`);
    const owner = await ownerOf(config);
    const file = openNew(path, config.createDestDirs);
    try {
      writeFileSync(file, bytesOf(text));
      const [uid, gid] = [owner.uid ?? old?.uid ?? process.getuid?.(), owner.gid ?? old?.gid ?? process.getgid?.()];
      if (uid !== undefined && gid !== undefined && (uid !== process.getuid?.() || gid !== process.getgid?.())) fchownSync(file, uid, gid);
      fchmodSync(file, config.perms ?? (old === undefined ? 0o644 : old.mode & 0o7777));
      if (isAlone) fsyncSync(file);
      else await synced(file);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(file);
    }
    return {
      path,
      keep: () => told(destination, () => replace(config, path, destination, text)),
      reject: () => told(destination, async () => renameSync(path, `${destination}.rejected`)),
      [Symbol.asyncDispose]: async () => rmSync(path, { force: true }),
    };
  });
}

const synced = promisify(fsync);

/** The last version stays `DEST.bak`, the ones before `DEST.bak.2` and so on. */
async function replace({ backups, inPlace }: FileConfig, candidate: string, destination: string, text: string): Promise<void> {
  if (backups > 0) await backUp(destination, backups);
  if (inPlace) return await replaceInPlace(candidate, destination, text);
  try {
    renameSync(candidate, destination);
    await syncFolder(dirname(destination));
  } catch (error) {
    // A single file that is mounted into a container cannot be replaced, only written.
    if (!isCode(error, 'EBUSY', 'EXDEV')) throw error;
    await replaceInPlace(candidate, destination, text);
  }
}

/** The candidate goes first, as a disk may have room for only one; where the new text has none, the old one is there again. */
async function replaceInPlace(candidate: string, destination: string, text: string): Promise<void> {
  const old = readDestination(destination);
  rmSync(candidate, { force: true });
  try {
    await writeInPlace(destination, text);
  } catch (error) {
    if (old !== undefined) await writeInPlace(destination, old);
    throw error;
  }
}

async function backUp(destination: string, backups: number): Promise<void> {
  const name = (age: number) => `${destination}.bak${age === 1 ? '' : `.${age}`}`;
  if (!isThere(destination)) return;
  for (let age = backups - 1; age >= 1; age--) if (isThere(name(age))) renameSync(name(age), name(age + 1));
  rmSync(name(1), { force: true });
  try {
    linkSync(destination, name(1));
  } catch (error) {
    if (!isCode(error, 'EXDEV', 'EPERM', 'EMLINK')) throw error;
    await writeInPlace(name(1), readFileSync(destination));
  }
}

async function writeInPlace(path: string, text: string | Buffer): Promise<void> {
  const file = openSync(path, 'w', 0o644);
  try {
    writeFileSync(file, typeof text === 'string' ? bytesOf(text) : text);
    await synced(file);
  } finally {
    closeSync(file);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, 'r');
  try {
    await synced(folder);
  } finally {
    closeSync(folder);
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** A link stays one: what it leads to is written. */
function target(path: string): { readonly destination: string; readonly old: Stats | undefined } {
  const old = lstatSync(path, { throwIfNoEntry: false });
  if (old?.isSymbolicLink() !== true) return { destination: path, old };
  const led = statSync(path, { throwIfNoEntry: false });
  return led === undefined ? { destination: path, old: undefined } : { destination: realpathSync(path), old: led };
}

function openNew(path: string, createsFolders: boolean): number {
  try {
    return openSync(path, 'w', 0o600);
  } catch (error) {
    if (!createsFolders || !isCode(error, 'ENOENT')) throw error;
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, 'w', 0o600);
  }
}

async function ownerOf({ user, group }: FileConfig): Promise<{ readonly uid: number | undefined; readonly gid: number | undefined }> {
  return { uid: await idOf('passwd', user), gid: await idOf('group', group) };
}

/** @throws OperationError for a name that the system does not know. */
async function idOf(database: 'passwd' | 'group', name: string | undefined): Promise<number | undefined> {
  if (name === undefined || /^\d+$/.test(name)) return name === undefined ? undefined : Number(name);
  try {
    const { stdout } = await promisify(nodeChildProcess().execFile)('getent', [database, name]);
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
