import { readFile, rename, writeFile } from 'node:fs/promises';
import { OperationError } from '../../daemon/operation-error.ts';
import type { Option } from '../../daemon/settings.ts';
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
    const response = await askConsul(conf, 'GET', undefined);
    const snapshot = Buffer.from(await response.arrayBuffer());
    await writeFile(`${file}.new`, snapshot, { mode: 0o600 });
    await rename(`${file}.new`, file);
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
