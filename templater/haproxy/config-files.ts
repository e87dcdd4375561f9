import { cp, type FileHandle, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import { type EdgeFiles, ownNames } from './edge-settings.ts';
import type { RenderedEdge } from './render.ts';
import { encodeShape } from './shape.ts';

/** Makes the name of each temporary file its own: files are replaced beside each other, and one name would mix their texts. */
let replaced = 0;

/** Of files with hashes of passwords in them: for HAProxy and us, who are one user. */
export const SECRET_FILE_MODE = 0o600;

/** Replaces a file's text so that a reader, or a crash, finds the old text or the new one whole. It is on the disk before it is found. */
export async function replaceFile(path: string, text: string, mode = 0o644): Promise<void> {
  const file = await replaceBy(temporaryOf(path), path, text, mode, (written) => written.datasync());
  await file.close();
}

function temporaryOf(path: string): string {
  replaced += 1;
  return join(dirname(path), `.${basename(path)}.${process.pid}-${replaced}.new`);
}

/**
 * Replaces a file by way of another one, and answers it, open: where `isReady` throws, the file stays what it was.
 * @throws OperationError when it cannot be written, and whatever `isReady` throws.
 */
async function replaceBy(
  temporary: string,
  path: string,
  text: string,
  mode: number,
  isReady: (written: FileHandle) => Promise<void>,
): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'w', mode);
    await file.writeFile(text);
    await isReady(file);
    await rename(temporary, path);
    return file;
  } catch (cause) {
    await file?.close();
    await rm(temporary, { force: true });
    throw cause instanceof OperationError ? cause : notWritten('write file', path, cause);
  }
}

/** What is wrong with the disk, and what to do about it. */
function notWritten(operation: string, subject: string, cause: unknown): OperationError {
  const isFull = isSystemError(cause, 'ENOSPC') || isSystemError(cause, 'EDQUOT');
  const remedy = isFull ? 'make room in the run directory' : 'the run directory has to be writable for this user';
  return new OperationError(operation, { subject, cause, hint: `${cause instanceof Error ? cause.message : cause}; ${remedy}` });
}

/** A state file without a server: HAProxy warns of one that is not there, or without its version. */
export const NO_SERVER_STATE = '1\n';

function ifThereAlready(error: unknown): void {
  if (!isSystemError(error, 'EEXIST')) throw error;
}

/** Makes the run directory and the files in it that do not depend on the catalog. */
export async function prepareRunDir(runDir: string, files: EdgeFiles): Promise<void> {
  const templates = fileURLToPath(new URL('../templates/', import.meta.url));
  try {
    await mkdir(runDir, { recursive: true, mode: 0o755 });
    for (const [page, path] of [
      ['landing', files.landingPage],
      ['unclaimed', files.unclaimedPage],
      ['unavailable', files.unavailablePage],
    ] as const) {
      await cp(join(templates, `${page}.html`), path);
    }
    await writeFile(
      files.ownNamesMap,
      ownNames()
        .map((name) => `${name} own\n`)
        .join(''),
    );
    for (const map of [files.hostsMap, files.vhostsMap, files.variantsMap, files.pathsMap])
      await writeFile(map, '', { flag: 'wx' }).catch(ifThereAlready);
    await writeFile(files.serverState, NO_SERVER_STATE, { flag: 'wx', mode: 0o600 }).catch(ifThereAlready);
  } catch (cause) {
    throw notWritten('prepare the run directory', runDir, cause);
  }
}

/**
 * Writes what a restart of HAProxy starts from, where it differs from what was written before, or somebody else has written since.
 * Whoever reads the files finds what was written; a power cut leaves it once it is `onDisk`, which a reload need not wait for.
 */
export interface ConfigWriter {
  readonly maps: (rendered: RenderedEdge) => Promise<void>;
  readonly certificates: (rendered: RenderedEdge) => Promise<void>;
  /** Where `check` throws, the configuration stays what it was; it looks at the candidate. */
  readonly config: (rendered: RenderedEdge, check?: () => Promise<void>) => Promise<void>;
  /** Keeps what a fingerprint stands for, before a HAProxy is loaded that carries it; and that of the one `inUse`, however old. */
  readonly shape: (rendered: RenderedEdge, inUse: string | undefined) => Promise<void>;
  /** Resolves when all that was written is on the disk. @throws OperationError when it does not get there; then it is written again. */
  readonly onDisk: () => Promise<void>;
}

export function createConfigWriter(files: EdgeFiles): ConfigWriter {
  const written = new Map<string, { readonly text: string; readonly stamp: string }>();
  let underWay: Promise<unknown>[] = [];

  /** A failure is kept for `onDisk`. */
  const later = (work: Promise<void>) => underWay.push(work.catch((error: unknown) => error));
  const replace = async (path: string, text: string, mode = 0o644, temporary = temporaryOf(path), check = async () => {}) => {
    const file = await replaceBy(temporary, path, text, mode, check);
    later(
      toDisk(file, path).catch((error) => {
        written.delete(path);
        throw error;
      }),
    );
  };
  const write = async (path: string, text: string, replaceIt: (path: string, text: string) => Promise<void> = replace) => {
    const before = written.get(path);
    if (before?.text === text && before.stamp === (await stampOf(path))) return;
    written.delete(path);
    await replaceIt(path, text);
    written.set(path, { text, stamp: await stampOf(path) });
  };
  return {
    certificates: ({ certificateList }) => write(files.certificateList, certificateList),
    maps: async ({ hostsMap, vhostsMap, variantsMap, pathsMap }) => {
      await Promise.all([
        write(files.hostsMap, hostsMap),
        write(files.vhostsMap, vhostsMap),
        write(files.variantsMap, variantsMap),
        write(files.pathsMap, pathsMap),
      ]);
    },
    config: ({ config }, check) =>
      write(files.config, config(), (path, text) => replace(path, text, SECRET_FILE_MODE, files.candidate, check)),
    shape: async ({ shape, fingerprint }, inUse) => {
      await replace(files.shape(fingerprint), encodeShape(shape), SECRET_FILE_MODE);
      later(dropOldShapes(files, inUse));
    },
    onDisk: async () => {
      const all = underWay;
      underWay = [];
      for (const error of await Promise.all(all)) if (error !== undefined) throw error;
    },
  };
}

async function toDisk(file: FileHandle, path: string): Promise<void> {
  try {
    await file.datasync();
  } catch (cause) {
    throw notWritten('write file', path, cause);
  } finally {
    await file.close();
  }
}

/** Another one for a file that was written again or replaced; empty for one that is not there. */
async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(path).catch(() => ({ ino: 0, size: 0, mtimeMs: 0 }));
  return ino === 0 ? '' : `${ino} ${size} ${mtimeMs}`;
}

/** How many shapes are kept besides the newest: old workers are never asked for theirs. */
const KEPT_SHAPES = 4;

async function dropOldShapes(files: EdgeFiles, inUse: string | undefined): Promise<void> {
  const folder = dirname(files.config);
  const names = (await readdir(folder)).filter((name) => /^shape-[0-9a-f]{16}\.json$/.test(name));
  const byAge = await Promise.all(names.map(async (name) => ({ path: join(folder, name), at: (await stat(join(folder, name))).mtimeMs })));
  byAge.sort((a, b) => b.at - a.at);
  const old = byAge.slice(KEPT_SHAPES + 1).filter(({ path }) => inUse === undefined || path !== files.shape(inUse));
  for (const { path } of old) await rm(path, { force: true });
}
