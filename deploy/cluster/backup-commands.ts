import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { OperationError } from '../../daemon/operation-error.ts';
import type { Option } from '../../daemon/settings.ts';
import { systemErrorCode } from '../../daemon/system-error.ts';
import { command } from '../command.ts';
import { CONSUL_PORTS } from './consul-daemon.ts';
import { findSecrets } from './make-secrets.ts';
import { confOption } from './node-options.ts';
import { confFiles } from './read-conf.ts';

const WITHIN_MS = 120_000;
const options = { conf: confOption } satisfies Record<string, Option>;

/** Writes all that Consul knows into a file. */
export const backupCommand = command(
  {
    name: 'backup',
    usage: 'FILE',
    line: 'Writes a snapshot of Consul: catalog, KV, ACLs',
    about: 'Writes a snapshot of all that Consul’s servers know, as one of them sees it, for its owner alone. Run it on a master.',
    options,
    positionals: { least: 1, most: 1 },
  },
  async ({ conf }, [file = '']) => {
    await using target = await openTarget(file); // before Consul is asked for what may be a lot
    const response = await askConsul(conf, 'GET', undefined);
    const snapshot = Buffer.from(await response.arrayBuffer());
    await target.write(snapshot);
    process.stdout.write(`${file}: ${snapshot.length} bytes\n`);
    return 0;
  },
);

/** Has Consul know what a snapshot says, and nothing else. */
export const restoreCommand = command(
  {
    name: 'restore',
    usage: 'FILE',
    line: 'Puts back a snapshot of Consul',
    about:
      'Has Consul’s servers know what a snapshot says; what came after it is gone. Run it on a master. Registrators tell again what runs now.',
    options,
    positionals: { least: 1, most: 1 },
  },
  async ({ conf }, [file = '']) => {
    const snapshot = await readFile(file).catch((cause: unknown) => {
      throw new OperationError('read the snapshot', { subject: file, cause });
    });
    await askConsul(conf, 'PUT', snapshot);
    process.stdout.write(`${file}: restored\n`);
    return 0;
  },
);

interface Target extends AsyncDisposable {
  readonly write: (content: Buffer) => Promise<void>;
}

/** A file that is there as a whole, for its owner alone, or as it was before. @throws OperationError when it cannot be written. */
async function openTarget(file: string): Promise<Target> {
  const failed = (cause: unknown) =>
    new OperationError('write the snapshot', {
      subject: file,
      cause,
      hint: `${systemErrorCode(cause)}; name a file in a folder that is there and can be written`,
    });
  const next = `${file}.new`;
  if ((await stat(file).catch(() => undefined))?.isDirectory())
    throw new OperationError('write the snapshot', { subject: file, hint: 'it is a folder; name a file' });
  await writeFile(next, '', { mode: 0o600 }).catch((cause: unknown) => {
    throw failed(cause);
  });
  return {
    write: async (content) => {
      try {
        await writeFile(next, content);
        await rename(next, file);
      } catch (cause) {
        throw failed(cause);
      }
    },
    [Symbol.asyncDispose]: () => rm(next, { force: true }),
  };
}

/** @throws OperationError when Consul does not answer with 200. */
async function askConsul(conf: string, method: 'GET' | 'PUT', body: Buffer | undefined): Promise<Response> {
  const found = await findSecrets(confFiles(conf));
  if (found !== undefined && found.secrets.master === undefined)
    throw new OperationError(`Consul ${method} /v1/snapshot`, {
      subject: found.file,
      hint: 'these secrets may not do that; run it on a master',
    });
  const url = `http://127.0.0.1:${CONSUL_PORTS.http}/v1/snapshot`;
  const headers: Record<string, string> = found?.secrets.master === undefined ? {} : { 'X-Consul-Token': found.secrets.master.management };
  const init = { method, headers, signal: AbortSignal.timeout(WITHIN_MS), ...(body !== undefined && { body: new Uint8Array(body) }) };
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new OperationError(`Consul ${method} /v1/snapshot`, {
      subject: url,
      cause,
      hint: 'no answer; does this node run? See ./toots.sh status',
    });
  });
  if (response.ok) return response;
  throw new OperationError(`Consul ${method} /v1/snapshot`, {
    subject: url,
    hint: `${response.status} ${(await response.text()).slice(0, 300).trim()}`,
  });
}
