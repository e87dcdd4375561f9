import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import { byteOrder } from '../../model/compare.ts';
import type { EdgeCertificate } from '../../model/edge.ts';
import type { Problem } from '../../model/problem.ts';
import { replaceFile, SECRET_FILE_MODE } from './config-files.ts';
import type { EdgeFiles } from './edge-settings.ts';

/** A certificate that HTTPS is served with, as /status tells it. */
export interface CertificateInfo {
  readonly file: string;
  /** As they stand in it, such as `DNS:*.example.org`. */
  readonly names: string;
  /** ISO 8601. */
  readonly validTo: string;
}

/** The certificates of a folder. */
export interface CertificateStore {
  /**
   * Reads the folder again; good ones are copied to the run directory, a bad one leaves what was there under its name, a folder without any leaves all:
   * HTTPS is closed by a start without the folder alone. Answers whether anything changed. @throws OperationError when the folder cannot be read.
   */
  readonly read: () => Promise<boolean>;
  /** By file name, sorted; the same object until something changed. */
  readonly certificates: () => ReadonlyMap<string, EdgeCertificate>;
  readonly list: () => readonly CertificateInfo[];
  readonly problems: () => readonly Problem[];
}

/** How long before its end a certificate is a problem. */
const ENDS_SOON_MS = 14 * 24 * 3_600_000;

const NONE_LEFT =
  'there is no certificate in it any more; the last ones are still served: put one there, or start without this folder to close HTTPS';

/** Which of some certificates, as PEM by any name, HAProxy would not load, and why. @throws OperationError when that cannot be known. */
export type FindRefused = (pems: ReadonlyMap<string, string>) => Promise<ReadonlyMap<string, string>>;

/** `folder` may be the empty text: then there are none. */
export function createCertificateStore(
  folder: string,
  files: EdgeFiles,
  findRefused: FindRefused,
  now: () => number = Date.now,
): CertificateStore {
  let good: ReadonlyMap<string, EdgeCertificate> = new Map();
  /** By PEM, why HAProxy refuses it, or undefined for those that it takes. */
  let judged: ReadonlyMap<string, string | undefined> = new Map();
  let isFirst = true;
  let refused: readonly Problem[] = [];
  const problemOf = (file: string, reason: string): Problem => ({ subject: 'edge', option: 'certs', value: join(folder, file), reason });

  async function read(): Promise<boolean> {
    if (folder === '') return false;
    if (isFirst) good = await lastServed(files);
    isFirst = false;
    const names = await certificateFiles(folder);
    const found = new Map<string, EdgeCertificate>();
    const problems: Problem[] = [];
    const inFolder = new Map<string, EdgeCertificate | string>();
    for (const name of names) inFolder.set(name, await readCertificate(join(folder, name)));
    judged = await judge([...inFolder.values(), ...good.values()]);
    for (const [name, one] of inFolder) {
      const fault = faultOf(one);
      const before = good.get(name);
      if (fault === undefined && typeof one !== 'string') found.set(name, one);
      else if (before !== undefined && faultOf(before) === undefined) found.set(name, before);
      if (fault !== undefined) problems.push(problemOf(name, found.has(name) ? `${fault}; the one before it is still served` : fault));
    }
    refused = problems;
    if (found.size === 0 && good.size > 0) {
      refused = [...problems, problemOf('', NONE_LEFT)];
      return false;
    }
    if (found.size === good.size && [...found].every(([name, { pem }]) => good.get(name)?.pem === pem)) return false;
    for (const [name, { pem }] of found) {
      await replaceFile(files.certificate(name), pem, SECRET_FILE_MODE);
    }
    good = found;
    return true;
  }

  const faultOf = (one: EdgeCertificate | string) => (typeof one === 'string' ? one : judged.get(one.pem));

  /** Asks of those that are new alone. */
  async function judge(all: readonly (EdgeCertificate | string)[]): Promise<typeof judged> {
    const pems = new Set(all.flatMap((one) => (typeof one === 'string' ? [] : [one.pem])));
    const fresh = new Map([...pems].flatMap((pem) => (judged.has(pem) ? [] : [[pem, pem]])));
    const refusals = fresh.size === 0 ? fresh : await findRefused(fresh);
    return new Map([...pems].map((pem) => [pem, fresh.has(pem) ? refusals.get(pem) : judged.get(pem)]));
  }

  const list = () => [...good].map(([file, { pem }]) => ({ file, ...infoOf(pem) }));
  return {
    read,
    certificates: () => good,
    list,
    problems: () => [
      ...refused,
      ...list().flatMap(({ file, validTo }) =>
        Date.parse(validTo) - now() < ENDS_SOON_MS ? [problemOf(file, `it is valid until ${validTo}; renew it`)] : [],
      ),
    ],
  };
}

/** @throws OperationError when the folder cannot be read: that is not a folder without certificates. */
async function certificateFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.pem$/.test(name)).sort(byteOrder);
  } catch (cause) {
    throw new OperationError('read the certificates', { subject: folder, cause });
  }
}

/** Those that HAProxy was given when the program last ran, from their copies. */
async function lastServed(files: EdgeFiles): Promise<ReadonlyMap<string, EdgeCertificate>> {
  const list = await readFile(files.certificateList, 'utf8').catch((cause: unknown) => {
    if (isSystemError(cause, 'ENOENT')) return '';
    throw new OperationError('read the list of the certificates that were served', { subject: files.certificateList, cause });
  });
  const prefix = basename(files.certificate(''));
  const served = new Map<string, EdgeCertificate>();
  for (const copy of list.split('\n').map((line) => basename(line))) {
    const name = copy.slice(prefix.length);
    const read = copy.startsWith(prefix) ? await readCertificate(files.certificate(name)) : '';
    if (typeof read !== 'string') served.set(name, read);
  }
  return served;
}

/** The certificate of a file, or what is wrong with it. */
async function readCertificate(path: string): Promise<EdgeCertificate | string> {
  try {
    if (!(await stat(path)).isFile()) return 'it has to be a file'; // to read from a pipe would never end
    const pem = (await readFile(path, 'utf8'))
      .replace(/\r/g, '')
      .replace(/\n{2,}/g, '\n')
      .trim();
    const certificate = new X509Certificate(pem);
    if (!certificate.checkPrivateKey(createPrivateKey(pem))) return 'the key in it is not that of its certificate';
    return { sha1: certificate.fingerprint.replaceAll(':', ''), pem: `${pem}\n` };
  } catch (error) {
    return `it has to hold a certificate, its chain and its key in PEM (${error instanceof Error ? error.message : error})`;
  }
}

function infoOf(pem: string): { names: string; validTo: string } {
  const { subject, subjectAltName, validTo } = new X509Certificate(pem);
  return { names: subjectAltName ?? subject.replaceAll('\n', ', '), validTo: new Date(validTo).toISOString() };
}
