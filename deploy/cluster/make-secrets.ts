import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ExecaError, execa } from 'execa';
import * as v from 'valibot';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError, systemErrorCode } from '../../daemon/system-error.ts';
import { type Secrets, secretsProblem, secretsSchema, withoutMaster } from './secrets.ts';

/** How long certificates are valid, days. */
const CA_DAYS = 3650;
const AGENT_DAYS = 1825;

/** The secrets of masters, and the key of the CA, which no node needs: further certificates are made with it. */
export interface MadeSecrets {
  readonly secrets: Secrets & { readonly master: NonNullable<Secrets['master']> };
  readonly caKey: string;
}

/** Makes new secrets for a cluster: random keys and tokens, and certificates by openssl. @throws OperationError when openssl fails. */
export async function makeSecrets(datacenter: string, domain: string, signal: AbortSignal): Promise<MadeSecrets> {
  const folder = await mkdtemp(join(tmpdir(), 'toots-ca-'));
  try {
    await chmod(folder, 0o700);
    const ca = await certificate(folder, 'ca', ['-subj', '/CN=Toots CA', '-days', String(CA_DAYS)], signal);
    const agent = (role: 'server' | 'client') => {
      const names = `DNS:${role}.${datacenter}.${domain},DNS:localhost,IP:127.0.0.1`;
      const extensions = [`subjectAltName=${names}`, 'basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth,clientAuth'];
      const signedBy = ['-CA', join(folder, 'ca.pem'), '-CAkey', join(folder, 'ca-key.pem')];
      const subject = ['-subj', `/CN=${role}.${datacenter}.${domain}`, '-days', String(AGENT_DAYS)];
      return certificate(folder, role, [...signedBy, ...subject, ...extensions.flatMap((extension) => ['-addext', extension])], signal);
    };
    const secrets = {
      gossipKey: randomBytes(32).toString('base64'),
      ca: ca.cert,
      client: await agent('client'),
      tokens: { agent: randomUUID(), registrator: randomUUID(), templater: randomUUID(), dns: randomUUID() },
      vrrpPassword: randomBytes(4).toString('hex'),
      master: { server: await agent('server'), management: randomUUID() },
    };
    return { secrets, caKey: ca.key };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function certificate(
  folder: string,
  name: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}-key.pem`)];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  try {
    await execa('openssl', ['req', '-x509', ...newKey, '-keyout', key, '-out', cert, ...words], { stdin: 'ignore', cancelSignal: signal });
  } catch (cause) {
    if (!(cause instanceof ExecaError) || signal.aborted) throw cause;
    throw new OperationError('make a certificate', { subject: name, cause, hint: String(cause.stderr ?? '').trim() || cause.shortMessage });
  }
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

/** Where secrets are: those of masters, those of other nodes, and the CA's key. */
export interface SecretsFiles {
  readonly secrets: string;
  readonly nodeSecrets: string;
  readonly caKey: string;
}

/** Writes secrets, those of the other nodes by themselves, so that their owner alone can read them. @throws OperationError when it cannot. */
export async function writeSecrets(files: SecretsFiles, { secrets, caKey }: MadeSecrets): Promise<void> {
  const write = async (file: string, text: string) => {
    try {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(`${file}.new`, text, { mode: 0o600 });
      await rename(`${file}.new`, file);
    } catch (cause) {
      throw new OperationError('write the secrets', {
        subject: file,
        cause,
        hint: `${systemErrorCode(cause)}; its folder must be one that can be written`,
      });
    }
  };
  await write(files.caKey, caKey);
  await write(files.nodeSecrets, `${JSON.stringify(withoutMaster(secrets), undefined, 2)}\n`);
  await write(files.secrets, `${JSON.stringify(secrets, undefined, 2)}\n`);
}

/** Why a master that has the secrets of the other nodes alone has not what it needs, and what to do; undefined where they will do. Pure. */
export function missingOfMaster(
  files: SecretsFiles,
  found: { readonly file: string; readonly secrets: Secrets },
  isMaster: boolean,
): string | undefined {
  const wrong = found.file === files.nodeSecrets && isMaster ? secretsProblem(found.secrets, isMaster) : undefined;
  return wrong === undefined ? undefined : `${files.secrets} is missing, and of ${found.file} no master can be made: ${wrong.remedy}`;
}

/** The secrets that this machine has, and their file: a master's where they are there. @throws OperationError when they cannot be read. */
export async function findSecrets({
  secrets: ofMasters,
  nodeSecrets,
}: SecretsFiles): Promise<{ readonly file: string; readonly secrets: Secrets } | undefined> {
  for (const file of [ofMasters, nodeSecrets]) {
    const secrets = await readSecrets(file);
    if (secrets !== undefined) return { file, secrets };
  }
  return undefined;
}

/** The secrets of a file; undefined when there is none. @throws OperationError when it is not what `toots secrets` wrote. */
async function readSecrets(file: string): Promise<Secrets | undefined> {
  try {
    return v.parse(secretsSchema, JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined;
    throw new OperationError('read the secrets', {
      subject: file,
      hint: isSystemError(cause, 'EACCES')
        ? 'this user may not read it; run this as root'
        : 'it is not what ./toots.sh secrets wrote; copy it anew from a master, and where it is right nowhere ./toots.sh secrets -replace makes new ones',
      cause,
    });
  }
}
