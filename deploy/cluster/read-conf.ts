import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OperationError } from '../../daemon/operation-error.ts';
import { isSystemError } from '../../daemon/system-error.ts';
import { type ClusterConf, type ParsedConf, readConf } from './conf.ts';
import { type ConfEntry, type ConfText, parseConfText } from './conf-text.ts';
import { parseEnvFile } from './env-file.ts';

/** Files beside Toots.conf, in the order in which later ones beat earlier ones. `host` is written by ./toots.sh itself. */
const OVERRIDES = ['common', 'host', 'overwrite'] as const;

/** Where the files beside a Toots.conf are. */
export function confFiles(conf: string) {
  const restricted = join(dirname(conf), 'restricted');
  return {
    conf,
    restricted,
    host: join(restricted, 'host'),
    env: join(restricted, 'env'),
    /** For masters. */
    secrets: join(restricted, 'secrets.json'),
    /** For every other node. */
    nodeSecrets: join(restricted, 'secrets.nodes.json'),
    /** On the master where it was made. */
    caKey: join(restricted, 'ca-key.pem'),
  } as const;
}

/** A configuration, what of it is no answer of this node, and what restricted/env has for every container. */
export type ReadConf =
  | (Extract<ParsedConf, { kind: 'conf' }> & { readonly told: ClusterConf; readonly env: Readonly<Record<string, string>> })
  | Extract<ParsedConf, { kind: 'wrong' }>;

/**
 * Toots.conf, then restricted/common, host and overwrite, then `given` (flags and environment): the last one counts. Every problem of all of
 * them is told. @throws OperationError when there is no Toots.conf.
 */
export async function readClusterConf(file: string, given: readonly ConfEntry[]): Promise<ReadConf> {
  const files = confFiles(file);
  const main = await readConfFile(file);
  if (main === undefined)
    throw new OperationError('read the configuration', {
      subject: file,
      hint: 'it is missing; copy Toots.conf.example and name the masters',
    });
  const overrides = await Promise.all(OVERRIDES.map((name) => readConfFile(join(files.restricted, name))));
  const texts = [main, ...overrides].filter((text) => text !== undefined);
  const ownAnswers = overrides[OVERRIDES.indexOf('host')];
  const env = parseEnvFile((await readText(files.env)) ?? '', basename(files.env), process.env);
  const problems = [...texts, env].flatMap((text) => text.problems);
  const parsed = readConf([...texts.flatMap(({ entries }) => entries), ...given]);
  const told = readConf(texts.filter((text) => text !== ownAnswers).flatMap(({ entries }) => entries));
  const broken = texts.flatMap((text) => text.broken);
  const further = [parsed, told]
    .flatMap((each) => (each.kind === 'wrong' ? each.problems : []))
    .filter((problem) => !isOfAbsent(problem, broken));
  if (parsed.kind === 'wrong' || told.kind === 'wrong' || problems.length > 0)
    return { kind: 'wrong', problems: inOrder([...new Set([...problems, ...further])]) };
  return { ...parsed, told: told.conf, env: env.variables };
}

/** Whether a problem says that a key is missing which is there, and could not be read. Pure. */
function isOfAbsent(problem: string, broken: readonly string[]): boolean {
  return broken.some((key) => problem.startsWith(`Toots.conf: ${key} `));
}

/** Problems in the order in which a person meets their places: file by file, line by line, and last what has no place. Pure. */
function inOrder(problems: readonly string[]): readonly string[] {
  const place = (problem: string): readonly [number, number] => {
    const [, file = '', line = ''] = /^(\S+?):(\d+): /.exec(problem) ?? [];
    const at = ['Toots.conf', ...OVERRIDES, 'env'].indexOf(file);
    return at < 0 ? [Number.MAX_SAFE_INTEGER, 0] : [at, Number(line)];
  };
  return [...problems].sort((one, other) => place(one)[0] - place(other)[0] || place(one)[1] - place(other)[1]);
}

async function readConfFile(path: string): Promise<ConfText | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : parseConfText(text, basename(path));
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined;
    throw new OperationError('read the configuration', { subject: path, cause });
  }
}
