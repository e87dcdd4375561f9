import { cp, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
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

/** Replaces a file's text so that a reader, or a crash, finds the old text or the new one whole. */
export function replaceFile(path: string, text: string, mode = 0o644): Promise<void> {
  replaced += 1;
  return replaceBy(join(dirname(path), `.${basename(path)}.${process.pid}-${replaced}.new`), path, text, mode);
}

/**
 * Replaces a file by way of another one, which is looked at while it finds its way to the disk: where `isGood` throws, the file stays what it was.
 * @throws OperationError when it cannot be written, and whatever `isGood` throws.
 */
async function replaceBy(
  temporary: string,
  path: string,
  text: string,
  mode: number,
  isGood: () => Promise<void> = async () => {},
): Promise<void> {
  try {
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(text);
      await Promise.all([file.datasync(), isGood()]);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
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

/** Writes what a restart of HAProxy starts from, where it differs from what was written before, or somebody else has written since. */
export interface ConfigWriter {
  readonly maps: (rendered: RenderedEdge) => Promise<void>;
  readonly certificates: (rendered: RenderedEdge) => Promise<void>;
  /** Where `check` throws, the configuration stays what it was; it looks at the candidate. */
  readonly config: (rendered: RenderedEdge, check?: () => Promise<void>) => Promise<void>;
}

export function createConfigWriter(files: EdgeFiles): ConfigWriter {
  const written = new Map<string, { readonly text: string; readonly stamp: string }>();
  const write = async (path: string, text: string, replace: (path: string, text: string) => Promise<void> = replaceFile) => {
    const before = written.get(path);
    if (before?.text === text && before.stamp === (await stampOf(path))) return;
    written.delete(path);
    await replace(path, text);
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
      write(files.config, config(), (path, text) => replaceBy(files.candidate, path, text, SECRET_FILE_MODE, check)),
  };
}

/** Another one for a file that was written again or replaced; empty for one that is not there. */
async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(path).catch(() => ({ ino: 0, size: 0, mtimeMs: 0 }));
  return ino === 0 ? '' : `${ino} ${size} ${mtimeMs}`;
}

/** How many shapes are kept besides the newest: old workers are never asked for theirs. */
const KEPT_SHAPES = 4;

/** Keeps what a fingerprint stands for, before a HAProxy is loaded that carries it; and that of the one `inUse`, however old. */
export async function keepShape(
  runDir: string,
  files: EdgeFiles,
  { shape, fingerprint }: RenderedEdge,
  inUse: string | undefined,
): Promise<void> {
  await replaceFile(files.shape(fingerprint), encodeShape(shape), SECRET_FILE_MODE);
  const names = (await readdir(runDir)).filter((name) => /^shape-[0-9a-f]{16}\.json$/.test(name));
  const byAge = await Promise.all(names.map(async (name) => ({ path: join(runDir, name), at: (await stat(join(runDir, name))).mtimeMs })));
  byAge.sort((a, b) => b.at - a.at);
  const old = byAge.slice(KEPT_SHAPES + 1).filter(({ path }) => inUse === undefined || path !== files.shape(inUse));
  for (const { path } of old) await rm(path, { force: true });
}
