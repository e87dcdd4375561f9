import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';

const ANSWER_WITHIN_MS = 1_000;

/**
 * Takes a run directory for this process alone, until it ends: by a socket in it that is listened on, so that it is free at once when its owner
 * was killed, and taken across containers that share the folder. Whoever connects is told the owner's process ID.
 * @throws OperationError when another templater has it.
 */
export async function lockRunDir(runDir: string, path: string): Promise<void> {
  for (;;) {
    if (await listensOn(path)) return;
    const owner = await ownerOf(path);
    if (owner !== undefined)
      throw new OperationError('have the run directory', {
        subject: runDir,
        hint: `another templater has it, ${owner}; end that one, or give this one a folder of its own (-run-dir DIR)`,
      });
    await rm(path, { force: true });
  }
}

/** Listens until the process ends; false when there is a socket of that name. */
function listensOn(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on('error', () => {}).end(`process ${process.pid}\n`));
    server.once('error', (cause) => {
      if (isSystemError(cause, 'EADDRINUSE')) resolve(false);
      else reject(new OperationError('have the run directory', { subject: path, cause }));
    });
    server.listen(path, () => resolve(true));
    server.unref();
  });
}

/** Who listens; undefined when nobody does. One that is stopped, and does not answer, is somebody too. */
function ownerOf(path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path }).setEncoding('utf8');
    let said = '';
    const done = (owner: string | undefined) => {
      socket.destroy();
      resolve(owner);
    };
    socket.setTimeout(ANSWER_WITHIN_MS, () => done('which does not answer'));
    socket.on('data', (text) => (said += text));
    socket.on('end', () => done(said.trim() || 'which does not say which it is'));
    socket.on('error', (cause) => {
      if (isSystemError(cause, 'ECONNREFUSED') || isSystemError(cause, 'ENOENT')) done(undefined);
      else if (isSystemError(cause, 'ECONNRESET')) done('which ends now');
      else reject(new OperationError('have the run directory', { subject: path, cause }));
    });
  });
}
