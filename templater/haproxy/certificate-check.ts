import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperationError } from '../../daemon/operation-error.ts';
import { SECRET_FILE_MODE } from './config-files.ts';
import type { EdgeFiles } from './edge-settings.ts';
import { checkConfig } from './haproxy-binary.ts';

/** The least that a configuration has which loads the certificates of a folder. */
const configOf = (folder: string | undefined) => `global
    httpclient.ssl.verify none
frontend check
    mode http
    timeout client 1s
    bind 127.0.0.1:1${folder === undefined ? '' : ` ssl crt '${folder}'`}
`;

/**
 * Which certificates, by name, HAProxy does not load, and why: one whose key is too short for it would make the whole configuration invalid, and no service
 * could be changed any more. @throws OperationError when HAProxy cannot be asked.
 */
export async function refusedCertificates(
  haproxy: string,
  { config }: Pick<EdgeFiles, 'config'>,
  pems: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const folder = await mkdtemp(join(dirname(config), '.certificates-'));
  let tries = 0;
  const refusalOf = async (texts: readonly string[]): Promise<OperationError | undefined> => {
    tries += 1;
    const inner = await mkdtemp(join(folder, `${tries}-`));
    for (const [i, pem] of texts.entries()) await writeFile(join(inner, `${i}.pem`), pem, { mode: SECRET_FILE_MODE });
    const file = join(folder, `${tries}.cfg`);
    await writeFile(file, configOf(texts.length === 0 ? undefined : inner));
    return await checkConfig(haproxy, file, signal).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof OperationError) return error;
        throw error;
      },
    );
  };
  try {
    if (pems.size === 0 || (await refusalOf([...pems.values()])) === undefined) return new Map();
    const unable = await refusalOf([]);
    if (unable !== undefined) throw unable;
    const refused = new Map<string, string>();
    for (const [name, pem] of pems) {
      const refusal = await refusalOf([pem]);
      if (refusal !== undefined) refused.set(name, reasonOf(refusal));
    }
    return refused;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** HAProxy before 3.0 does not say why. */
function reasonOf({ hint = '' }: OperationError): string {
  const [, why] = /\.pem': (.*?)\.?$/m.exec(hint) ?? [];
  return `HAProxy does not load it${why === undefined ? '' : ` (${why})`}; a key of 2048 bits (RSA) or 256 (EC) and a signature with SHA-256 are taken everywhere`;
}
